"""One job with all that belongs to it, held while its row is locked; collects what must be written."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.events import JobEventName
from contracts.message import Attempt, Message
from contracts.outcomes import Later, NotSent
from contracts.values import Cause, JobState, MoneyState, PartState, new_id
from job_store.domain.rows import (
    FINAL,
    LIVE,
    PLACING,
    Bot,
    Carrier,
    Effect,
    EffectKind,
    EffectState,
    Job,
    Opened,
    Owner,
    Part,
    Transfer,
)
from job_store.domain.rules import backoff
from job_store.domain.wide import revised

EVENT_OF_STATE = {JobState(event): event for event in JobEventName}

NEXT: dict[JobState, frozenset[JobState]] = {
    JobState.CREATED: frozenset(
        {
            JobState.SUBMITTING,
            JobState.RUNNING,
            JobState.SUCCEEDED,
            JobState.FAILED,
            JobState.EXPIRED,
            JobState.CANCELLED,
        }
    ),
    JobState.SUBMITTING: frozenset(
        {
            JobState.RUNNING,
            JobState.SUCCEEDED,
            JobState.FAILED,
            JobState.EXPIRED,
            JobState.CANCELLED,
        }
    ),
    JobState.RUNNING: frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.EXPIRED}),
    JobState.SUCCEEDED: frozenset({JobState.DELIVERED, JobState.UNDELIVERABLE}),
    JobState.EXPIRED: frozenset({JobState.SUCCEEDED}),
    JobState.DELIVERED: frozenset({JobState.SUCCEEDED}),  # an operator tries again what was refused
    JobState.FAILED: frozenset(),
    JobState.UNDELIVERABLE: frozenset({JobState.SUCCEEDED}),  # likewise
    JobState.CANCELLED: frozenset(),
}


class IllegalMoveError(Exception):
    """A rule asked for a transition that no job may make: a bug, never a consequence of input."""


class Case:
    """The aggregate a decision works on. Methods keep the laws; the store writes what changed."""

    def __init__(  # noqa: PLR0913 - one argument for each table the store loads
        self,
        *,
        job: Job,
        bot: Bot,
        now: datetime,
        effects: Iterable[Effect] = (),
        parts: Iterable[Part] = (),
        owners: Iterable[Owner] = (),
        is_new: bool = False,
        is_held: bool = False,
    ) -> None:
        self.job = job
        self.bot = bot
        self.now = now
        self.is_held = is_held  # after a restore: nothing of it is handed out
        self.effects = {effect.id: effect for effect in effects}
        self.parts = {part.id: part for part in parts}
        self.owners = list(owners)
        self.loaded_version = 0 if is_new else job.version
        self.stored_effects: dict[UUID, Effect] = {} if is_new else dict(self.effects)
        self.stored_parts: dict[UUID, Part] = {} if is_new else dict(self.parts)
        self.stored_job: Job | None = None if is_new else job
        self.new_owners: list[Owner] = []
        self.carriers: list[Carrier] = []
        self.opened: list[Opened] = []
        self.transfers: list[Transfer] = []
        self.news: list[JobEventName] = []
        self.took: timedelta | None = None
        self.requests: list[tuple[str, Message]] = []
        # Of what is being applied; none when a clock or a person decides.
        self.trace: str | None = None

    # -- the job -------------------------------------------------------------------------------------

    def change(self, **fields: Any) -> None:  # noqa: ANN401 - the fields of Job, checked by replace
        """Set fields of the job; the state moves only through ``move``."""
        self.job = revised(self.job, **fields)

    def move(self, state: JobState, *, cause: Cause | None = None) -> None:
        """Take the job to another state, or refuse by raising."""
        if state not in NEXT[self.job.state]:
            msg = f"{self.job.state} never becomes {state}"
            raise IllegalMoveError(msg)
        ends = state in FINAL or (state is JobState.SUCCEEDED and not self.job.deliver)
        self.job = revised(
            self.job,
            state=state,
            ended_at=self.now if ends else None,
            cause=cause if ends else None,
        )
        if state in EVENT_OF_STATE:
            self.news.append(EVENT_OF_STATE[state])

    @property
    def touched(self) -> bool:
        return (
            self.job is not self.stored_job
            or bool(self.news or self.transfers or self.new_owners or self.carriers or self.opened)
            or self.effects != self.stored_effects
            or self.parts != self.stored_parts
        )

    # -- effects -------------------------------------------------------------------------------------

    def is_due(self, effect: Effect) -> bool:
        """Say whether nothing but pacing keeps an effect from going."""
        is_pending = effect.state is EffectState.PENDING
        return is_pending and effect.due_at <= self.now and not self.is_held

    def effect_of(self, kind: EffectKind) -> Effect | None:
        """Return the one effect of a kind that a job has at most once."""
        return next((effect for effect in self.effects.values() if effect.kind is kind), None)

    def placing_of(self, part: Part) -> Effect | None:
        """Return the effect that puts a part into the chat; an album's is that of its first part."""
        lead = self.group(part)[0].id
        return next(
            (e for e in self.effects.values() if e.kind in PLACING and e.part_id == lead), None
        )

    def put(self, effect: Effect) -> Effect:
        self.effects[effect.id] = effect
        return effect

    def plan(self, kind: EffectKind, *, after: timedelta = timedelta(0), **fields: Any) -> Effect:  # noqa: ANN401
        """Make a new effect due."""
        return self.put(
            Effect(
                id=new_id(),
                job_id=self.job.id,
                kind=kind,
                state=EffectState.PENDING,
                due_at=self.now + after,
                trace=self.trace,
                **fields,
            )
        )

    def settle(self, effect: Effect, state: EffectState) -> None:
        """End an effect, or set it aside; its token is void from here on."""
        self.put(
            revised(
                effect,
                state=state,
                queued=False,
                open_attempt=None,
                lease_until=None,
                holder=None,
            )
        )

    def again(self, effect: Effect, *, after: timedelta = timedelta(0), failures: int = 0) -> None:
        """Make an effect due again."""
        self.put(
            revised(
                effect,
                state=EffectState.PENDING,
                due_at=self.now + after,
                queued=False,
                failures=failures,
                open_attempt=None,
                lease_until=None,
                holder=None,
                trace=self.trace or effect.trace,
            )
        )

    def put_off(self, effect: Effect, result: NotSent | Later) -> None:
        """Certainly nothing happened: due again when the other side says, or after our own backoff."""
        wait = timedelta(seconds=result.after)
        if isinstance(result, NotSent):
            wait = max(wait, backoff(effect.failures))
        self.again(effect, after=wait, failures=effect.failures + 1)

    def call_off(self, kind: EffectKind) -> None:
        """Cancel what is still planned of a kind; what is acting already reports back and is ignored."""
        for effect in list(self.effects.values()):
            if effect.kind is kind and effect.state in LIVE | {EffectState.UNCERTAIN}:
                self.settle(effect, EffectState.CANCELLED)

    def open(self, effect: Effect, *, lease: timedelta) -> Attempt:
        """Write an attempt and return it as it travels: the token, its number and its lease."""
        opened = Opened(
            id=new_id(), effect_id=effect.id, job_id=self.job.id, no=effect.attempts + 1
        )
        self.put(
            revised(
                effect,
                state=EffectState.ACTING,
                queued=False,
                claimed_at=self.now,
                attempts=opened.no,
                open_attempt=opened.id,
                lease_until=self.now + lease,
                holder=None,
            )
        )
        self.opened.append(opened)
        return Attempt(
            id=opened.id,
            no=opened.no,
            lease=lease.total_seconds(),
            not_after=self.now + lease,
        )

    # -- parts ---------------------------------------------------------------------------------------

    def put_part(self, part: Part) -> Part:
        self.parts[part.id] = part
        return part

    @property
    def delivery(self) -> list[Part]:
        """The parts of the current delivery in order, without the notice."""
        return self.delivery_of(self.job.delivery_no)

    def delivery_of(self, delivery_no: int) -> list[Part]:
        parts = (p for p in self.parts.values() if p.delivery_no == delivery_no and not p.is_notice)
        return sorted(parts, key=lambda part: part.ordinal)

    def group(self, part: Part) -> list[Part]:
        """Return the parts that are sent together with this one, in order; itself when it stands alone."""
        if part.album is None:
            return [part]
        return [p for p in self.delivery_of(part.delivery_no) if p.album == part.album]

    def carry(self, part: Part, message_id: int, *, chat_id: int | None = None) -> Part:
        """Bind a part to the message that will show it, once per carrier number."""
        self.carriers.append(
            Carrier(
                bot=self.job.bot,
                chat_id=self.job.chat_id if chat_id is None else chat_id,
                message_id=message_id,
                part_id=part.id,
                no=part.carrier_no,
            )
        )
        return self.put_part(revised(part, state=PartState.CARRIED, message_id=message_id))

    # -- money ---------------------------------------------------------------------------------------

    def transfer(self, kind: str, *, to: MoneyState) -> None:
        """Move the job's price; ``to`` is what the job's money is then."""
        debit, credit = TRANSFERS[kind]
        self.transfers.append(
            Transfer(
                kind=kind,
                debit=debit,
                credit=credit,
                amount=self.job.price,
                job=self.job,
                refunds_capture=kind == "refund",
            )
        )
        self.job = revised(self.job, money=to)

    def send(self, subject: str, message: Message) -> None:
        """Hand a message to the outbox."""
        self.requests.append((subject, message))


TRANSFERS = {
    "hold": ("balance", "held"),
    "capture": ("held", "revenue"),
    "release": ("held", "balance"),
    "refund": ("revenue", "balance"),
}
