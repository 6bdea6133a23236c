"""The model of how a result comes to its chat: work, parts, and what each word of a worker means."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from contracts.api import DeliverJob, JobRequest
from contracts.deliveries import DeliveryOutcome, RefusalCode, Sent, Shown
from contracts.outcomes import Later, NotSent, Refused
from contracts.values import PartState

POSTS = 8  # of a carrier, their answers lost; then a person must look
CARRIERS = 3  # that a part may lose
EDIT_LEASE = 15
SETTLED = {PartState.SHOWN, PartState.REFUSED}
# What lets the next part go: edited, the place of this one is known; sent, nobody is at it.
PASSED = {
    "edit": {*SETTLED, PartState.CARRIED, PartState.UNCERTAIN},
    "send": {*SETTLED, PartState.UNCERTAIN, PartState.PARKED},
}
LOST = {RefusalCode.CARRIER_GONE, RefusalCode.CARRIER_UNEDITABLE}
MEDIUM_AT_FAULT = {RefusalCode.MEDIA_UNUSABLE, RefusalCode.MEDIA_GONE, RefusalCode.PAYLOAD}


@dataclass
class Clock:
    now: datetime

    def after(self, seconds: float) -> datetime:
        return self.now + timedelta(seconds=seconds)


@dataclass
class Work:
    """One thing asked of the world. At most one attempt at it is open: its token."""

    kind: str
    clock: Clock
    state: str = "pending"
    attempt: UUID | None = None
    holder: UUID | None = None
    until: datetime | None = None
    since: datetime = field(init=False)
    not_before: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.again()

    @property
    def is_live(self) -> bool:
        return self.state in ("pending", "acting")

    def again(self, after: float = 0) -> None:
        self.end("pending")
        self.since, self.not_before = self.clock.now, self.clock.after(after)

    def end(self, state: str) -> None:
        """Void its token."""
        self.state, self.attempt, self.holder, self.until = state, None, None, None

    def take(self, attempt: UUID, *, lease: float) -> None:
        assert self.state == "pending", f"a {self.kind} is handed out that is {self.state}"
        assert self.not_before <= self.clock.now, f"a {self.kind} is handed out too early"
        self.state, self.attempt, self.until = "acting", attempt, self.clock.after(lease)

    def listens_to(self, attempt: UUID, holder: UUID | None) -> bool:
        """Say whether this one can know what did not happen: he who may act now."""
        return self.attempt == attempt and self.holder in (None, holder)

    def done_by_evidence(self) -> None:
        if self.is_live or self.state in ("uncertain", "parked"):
            self.end("done")


@dataclass
class Part:
    """What stands in one message, or will. Ordinal 0 is a notice."""

    delivery: int
    ordinal: int
    album: bool = False
    state: PartState = PartState.PENDING
    message: int | None = None
    work: Work | None = None
    stage: Work | None = None
    posts: int = 0
    carriers: int = 1
    maybe_edited: bool = False
    showings: int = 0
    refusal: RefusalCode | None = None


@dataclass
class Delivery:
    """All parts of one job."""

    asked: JobRequest
    clock: Clock
    number: int = 0
    parts: list[Part] = field(default_factory=list)
    lines: set[int] = field(default_factory=set)  # status messages it ever had

    @property
    def is_wanted(self) -> bool:
        return self.asked.deliver or isinstance(self.asked, DeliverJob)

    @property
    def current(self) -> list[Part]:
        return [part for part in self.parts if part.delivery == self.number and part.ordinal]

    def group(self, part: Part) -> list[Part]:
        """Return what goes into the chat together with a part."""
        album = [p for p in self.parts if p.delivery == part.delivery and p.album]
        return album if part.album else [part]

    def placing(self, part: Part) -> Work | None:
        return self.group(part)[0].work

    def to_send(self, part: Part) -> list[Part]:
        return [p for p in self.group(part) if p.state is PartState.PENDING]

    def waits(self, part: Part) -> bool:
        """A send goes when nobody is at work on what stands before it."""
        before = [p for p in self.current if p.ordinal < part.ordinal]
        is_sent = part.work is not None and part.work.kind == "send"
        return is_sent and any(p.work is not None and p.work.is_live for p in before)

    # -- made and planned ------------------------------------------------------------------------

    def make(self, media: int) -> None:
        """A result came; a notice that nobody has begun to tell is not told any more."""
        for part in self.parts:
            if part.ordinal == 0 and part.work and part.work.state in ("pending", "parked"):
                part.state = PartState.REFUSED
                part.work.end("cancelled")
        self.number += 1
        is_album = self.asked.mode == "send" and media > 1
        self.parts += [Part(self.number, no + 1, album=is_album) for no in range(media)]
        self.plan_next()

    def say_so(self) -> None:
        """Tell the user how it ended, once for each delivery."""
        if not self.is_wanted:
            return
        self.number = max(self.number, 1)
        if all(part.ordinal or part.delivery != self.number for part in self.parts):
            self.parts.append(Part(self.number, 0, work=Work("show", self.clock)))

    def plan_next(self) -> None:
        for part in self.current if self.is_wanted else ():
            if self.placing(part) is None:
                part.work = Work("send" if self.asked.mode == "send" else "show", self.clock)
                return
            if part.state not in PASSED[self.asked.mode]:
                return

    # -- what workers say ------------------------------------------------------------------------

    def carried(self, part: Part, attempt: UUID, message: int) -> int | None:
        """A carrier is posted: return the message to edit, or None to stop."""
        assert part.work is not None
        is_open = part.work.attempt == attempt
        if is_open and part.message is None:
            part.state, part.message = PartState.CARRIED, message
            self.plan_next()
        if not is_open or part.message is None:
            return None
        part.work.until = self.clock.after(EDIT_LEASE)
        return part.message

    def stand(self, part: Part, message: int) -> None:
        """A part stands in a message, whoever says so; in a second one it is counted."""
        if part.state is PartState.SHOWN:
            part.showings += part.message != message
            return
        part.state, part.message, part.showings = PartState.SHOWN, message, 1
        self.plan_next()

    def on_show(self, part: Part, outcome: DeliveryOutcome) -> None:
        work = part.work
        assert work is not None
        if isinstance(outcome.result, Shown):
            work.done_by_evidence()
            self.stand(part, outcome.result.message_id)
        elif work.attempt == outcome.attempt_id:
            if outcome.carrier_id is not None and part.message is None:
                part.state, part.message = PartState.CARRIED, outcome.carrier_id
            part.maybe_edited = part.maybe_edited or outcome.edit_maybe_applied
            self._not_shown(part, work, outcome)
            self.plan_next()

    def _not_shown(self, part: Part, work: Work, outcome: DeliveryOutcome) -> None:
        match outcome.result:
            case NotSent(after=after) | Later(after=after):
                work.again(after)
            case Refused(code=code) if code in LOST:
                self._lose_carrier(part, work)
            case Refused(code=code):
                _refuse([part], work, RefusalCode(code))
            case _:
                self._unclear(part, work)

    def _unclear(self, part: Part, work: Work) -> None:
        """An edit is repeated; a carrier is posted again, but not for ever."""
        work.again()
        if part.message is not None:
            part.maybe_edited = True
            return
        part.posts += 1
        if part.posts >= POSTS:
            _give_up([part], work)

    def _lose_carrier(self, part: Part, work: Work) -> None:
        """Another message only when the lost one certainly never showed it."""
        if part.maybe_edited or part.carriers >= CARRIERS:
            _give_up([part], work)
            return
        part.state, part.message = PartState.PENDING, None
        part.carriers += 1
        work.again()

    def on_send(self, part: Part, outcome: DeliveryOutcome) -> None:
        work = self.placing(part)
        assert work is not None
        if not work.listens_to(outcome.attempt_id, outcome.holder):
            return
        parts = self.to_send(part)
        match outcome.result:
            case NotSent(after=after) | Later(after=after):
                work.again(after)
            case Refused(code=code) if code in MEDIUM_AT_FAULT and len(parts) > 1:
                self._take_apart(part, work)
            case Refused(code=code):
                _refuse(parts, work, RefusalCode(code))
            case _:
                _give_up(parts, work)
        self.plan_next()

    def _take_apart(self, part: Part, work: Work) -> None:
        first, *_ = group = self.group(part)
        for each in group:
            each.album = False
        if first.state in SETTLED:
            work.end("done")
        else:
            work.again()

    def on_sent(self, sent: Sent, parts: dict[UUID, Part]) -> None:
        """What stands there counts whoever says so."""
        named = [parts[one.part_id] for one in sent.parts]
        for part in named:
            work, group = self.placing(part), self.group(part)
            if work is not None and all(p in named or p.state in SETTLED for p in group):
                work.done_by_evidence()
        for one in sent.parts:
            self.stand(parts[one.part_id], one.message_id)

    def on_silence(self, part: Part, work: Work) -> None:
        """Nobody answered within the lease."""
        if work.kind == "show":
            self._unclear(part, work)
        elif work.holder is None:
            work.again()
        else:
            _give_up(self.to_send(part), work)
        self.plan_next()

    def lose_medium(self, part: Part) -> None:
        """Its link is dead; nobody has seen it, and nobody is at it who would say so himself."""
        work = self.placing(part)
        is_unseen = part.state in (PartState.PENDING, PartState.PARKED) and not part.maybe_edited
        if is_unseen and (work is None or work.state != "acting"):
            part.state, part.refusal = PartState.REFUSED, RefusalCode.MEDIA_GONE
            if work is not None and all(p.state in SETTLED for p in self.group(part)):
                work.end("refused")
            self.plan_next()

    def returned(self) -> int:
        """The user is back; return how many parts waited for that."""
        parked = [part for part in self.parts if part.state is PartState.PARKED]
        for part in parked:
            part.state = PartState.PENDING if part.message is None else PartState.CARRIED
            work = self.placing(part)
            assert work is not None
            work.again()
        return len(parked)


def _give_up(parts: list[Part], work: Work) -> None:
    for part in parts:
        part.state = PartState.UNCERTAIN
    work.end("uncertain")


def _refuse(parts: list[Part], work: Work, code: RefusalCode) -> None:
    is_away = code is RefusalCode.BLOCKED
    for part in parts:
        part.state = PartState.PARKED if is_away else PartState.REFUSED
        part.refusal = code
    work.end("parked" if is_away else "refused")
