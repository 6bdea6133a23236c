"""What may truly stand in the chat: an independent witness of every request a deliverer is given."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from contracts.deliveries import DeliveryRequested, DeliveryResult, Existing, Rewrite, Send, Show
from contracts.outcomes import Ambiguous, Later
from contracts.values import MediaKind
from job_store.domain.rows import EffectKind

LATE = timedelta(seconds=90)  # how long after its call an edit may land


@dataclass(slots=True)
class Chat:
    """Messages by id, edits that may still land, sends that may have happened."""

    posted: dict[int, int] = field(default_factory=dict)  # message → chat it stands in
    rewritten: set[int] = field(default_factory=set)
    removed: set[int] = field(default_factory=set)
    landing: dict[UUID, tuple[int, datetime]] = field(default_factory=dict)  # attempt → until
    flying: dict[UUID, UUID] = field(default_factory=dict)  # part → attempt that may have sent it
    sent: Counter[UUID] = field(default_factory=Counter)
    last_message: int = 1_000

    def post(self, chat_id: int) -> int:
        """Post a new message to a chat."""
        self.last_message += 1
        self.posted[self.last_message] = chat_id
        return self.last_message

    def asked(
        self, request: DeliveryRequested, kind: EffectKind, *, carriers: set[int], now: datetime
    ) -> None:
        """Check that a request names only messages of its chat, and spoils nothing in them."""
        action = request.action
        target = _target(request)
        if target is None:
            return
        assert self.posted[target] == request.chat_id, "a message of another chat"
        if kind is EffectKind.PROGRESS:
            assert target not in carriers, "progress is written over a result"
            assert not self._may_be_edited(target, now), "two edits of unclear order"
            lease = timedelta(seconds=request.attempt.lease)
            self.landing[request.attempt.id] = (target, now + lease + LATE)
            return
        if _writes_words(request):
            assert not self._may_be_edited(target, now), "a late edit may replace these words"
        if isinstance(action, Rewrite):
            self.rewritten.add(target)
        elif not isinstance(action, Show):
            self.removed.add(target)

    def _may_be_edited(self, message_id: int, now: datetime) -> bool:
        return any(target == message_id and now < until for target, until in self.landing.values())

    def began(self, request: DeliveryRequested) -> None:
        """Somebody was let through to send: from here on it may have happened."""
        assert isinstance(request.action, Send)
        for one in request.action.parts:
            other = self.flying.setdefault(one.part_id, request.attempt.id)
            assert other == request.attempt.id, "sent again although it may stand there"

    def did_send(self, request: DeliveryRequested) -> None:
        assert isinstance(request.action, Send)
        self.sent.update(one.part_id for one in request.action.parts)
        assert max(self.sent.values()) == 1, "a part was sent twice"

    def answered(self, request: DeliveryRequested, result: DeliveryResult, now: datetime) -> None:
        """A worker told the truth about its own call."""
        attempt_id = request.attempt.id
        if attempt_id in self.landing:
            target, until = self.landing.pop(attempt_id)
            if isinstance(result, Ambiguous | Later):
                self.landing[attempt_id] = (target, min(until, now + LATE))

    def did_not_send(self, attempt_id: UUID) -> None:
        """The holder knows that his send did not happen."""
        self.flying = {part: other for part, other in self.flying.items() if other != attempt_id}


def _target(request: DeliveryRequested) -> int | None:
    action = request.action
    if isinstance(action, Show):
        carrier = action.carrier
        return carrier.message_id if isinstance(carrier, Existing) else None
    return getattr(action, "message_id", None)


def _writes_words(request: DeliveryRequested) -> bool:
    action = request.action
    if isinstance(action, Show):
        return action.content.kind is MediaKind.TEXT or bool(action.content.items)
    return isinstance(action, Rewrite)
