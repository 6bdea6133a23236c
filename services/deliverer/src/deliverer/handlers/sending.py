"""New messages with media, at most once: fetch, ask whether to begin, call, decide."""

from dataclasses import dataclass
from uuid import UUID

from contracts.deliveries import DeliveryRequested, DeliveryResult, Send
from contracts.outcomes import NotSent
from deliverer.domain import sends
from deliverer.domain.answers import Answer
from deliverer.domain.bodies import Body, Way
from deliverer.domain.leases import Lease
from deliverer.domain.rendering import rendered, to_fetch
from deliverer.domain.sends import SendAgain, SendEnd, SendState, SendStep
from deliverer.domain.wording import line
from deliverer.effects import Begun, Effects, Stopped, Unanswered
from deliverer.handlers.calling import Calling, widened
from deliverer.handlers.editing import is_about_the_link
from deliverer.handlers.fetching import fetched
from deliverer.handlers.posting import place_of
from deliverer.media.download import NoFile
from deliverer.media.shelf import Shelf
from deliverer.telegram.calls import Telegram

NO_TIME = NotSent(reason="too little time is left for another call")
UNANSWERED = NotSent(reason="nobody answered whether to begin")


@dataclass(frozen=True, slots=True)
class Ready:
    """Everything a call needs is here."""

    state: SendState
    bodies: tuple[Body, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a message is sent: how loud, how long one call takes, how much lease must be left."""

    silent: bool
    call_seconds: float
    reserve: float


class Sending:
    """Makes contents stand in new messages."""

    def __init__(
        self, telegram: Telegram, shelf: Shelf, calling: Calling, effects: Effects
    ) -> None:
        self._telegram = telegram
        self._shelf = shelf
        self._calling = calling
        self._effects = effects

    async def send(
        self, request: DeliveryRequested, send: Send, lease: Lease, *, holder: UUID
    ) -> DeliveryResult:
        """Send a request's parts, if nobody else was let through before us."""
        if (later := self._calling.held(request.bot, request.chat_id)) is not None:
            return later
        first = sends.begin(
            place_of(request),
            send.parts,
            attempt_no=request.attempt.no,
            refused_links=self._refused(send),
        )
        # Before the question: the lease it brings is for the call alone.
        ready = await self.made_ready(first, within=self._calling.left(lease))
        if not isinstance(ready, Ready):
            return ready
        if self._calling.over(lease):
            return NO_TIME
        verdict = await self._effects.begin(
            request.attempt.id, holder, not_after=request.attempt.not_after, lease=lease
        )
        terms = Terms(silent=send.silent, call_seconds=send.call_timeout, reserve=send.call_timeout)
        match verdict:
            case Begun(granted):
                return await self.carry_out(request, ready, granted, terms)
            case Stopped(reason):
                return NotSent(reason=line(f"told to stop: {reason}"))
            case Unanswered():
                return UNANSWERED

    async def made_ready(self, step: SendStep, *, within: float) -> Ready | DeliveryResult:
        """Fetch and render what the step needs, or say what came of it instead."""
        while True:
            match step:
                case SendEnd(result):
                    return result
                case SendAgain(state):
                    found = await self._prepared(state, within)
                    if isinstance(found, Ready):
                        return found
                    step = found

    async def _prepared(self, state: SendState, within: float) -> Ready | SendStep:
        items = [one for piece in state.pieces for one in to_fetch(piece.content, piece.way)]
        files = await fetched(self._shelf, items, within=within, stopping=self._calling.stopping)
        if isinstance(files, NoFile):
            return sends.on_media_trouble(state, files.trouble, files.reason)
        bodies = tuple(rendered(piece.content, piece.way, files) for piece in state.pieces)
        return Ready(state, bodies) if sends.stand_together(bodies) else sends.NO_ALBUM

    async def carry_out(
        self, request: DeliveryRequested, ready: Ready, lease: Lease, terms: Terms
    ) -> DeliveryResult:
        """Call, and call again only after what is certainly not sent."""
        chat_id = ready.state.place.chat_id
        while self._slack(lease, terms) > 0:
            if (later := self._calling.held(request.bot, chat_id)) is not None:
                return later
            answer = await self._telegram.send(
                request.token_ref,
                ready.state.place,
                ready.bodies,
                silent=terms.silent,
                within=terms.call_seconds,
            )
            self._note_links(ready.state, answer)
            parked = self._calling.noted(request.bot, chat_id, answer)
            step = sends.on_answer(ready.state, answer)
            if isinstance(step, SendEnd):
                return widened(step.result, parked)
            if step.pause:
                await self._calling.pause(step.pause, lease)
            again = await self.made_ready(step, within=self._slack(lease, terms))
            if not isinstance(again, Ready):
                return again
            ready = again
        return NO_TIME

    def _slack(self, lease: Lease, terms: Terms) -> float:
        """Return the seconds that may pass before the next call must have begun."""
        return self._calling.left(lease) - terms.reserve

    def _refused(self, send: Send) -> frozenset[str]:
        urls = {part.content.url for part in send.parts if part.content.url is not None}
        return frozenset(url for url in urls if self._shelf.is_link_refused(url))

    def _note_links(self, state: SendState, answer: Answer) -> None:
        if not is_about_the_link(answer) or state.is_album:
            return
        for piece in state.pieces:
            if piece.way is Way.URL and piece.content.url is not None:
                self._shelf.link_refused(piece.content.url)
