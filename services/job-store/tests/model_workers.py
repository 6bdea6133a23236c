"""Who acts on the store and on its model alike: KIE's callers, submitters, deliverers, clocks; step by step."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID

import hypothesis.strategies as st
from asyncpg import UniqueViolationError

from contracts.deliveries import (
    DeliveryOutcome,
    DeliveryRequested,
    DeliveryResult,
    Existing,
    Send,
    Show,
    Shown,
)
from contracts.effects import Go
from contracts.polls import PollRequested
from contracts.reports import ReportReceived
from contracts.submissions import (
    SubmissionOutcome,
    SubmissionRequested,
    SubmissionResult,
)
from contracts.values import label
from driven_store import START, Ask, DrivenStore, Places
from job_store.store.unit import TaskTakenError
from model_delivery import Clock
from store_kit import Store, delivery_outcome, sent, submission_outcome
from store_model import Model

Said: TypeAlias = SubmissionOutcome | DeliveryOutcome | ReportReceived

MOMENT: Final = timedelta(milliseconds=50)  # every step has a time of its own
BACKOFF: Final = timedelta(seconds=31)  # what failed is due again by then


@dataclass
class Asked:
    """One attempt as its worker knows it."""

    ask: Ask
    kind: str
    holders: list[UUID] = field(default_factory=list)
    posted: list[int] = field(default_factory=list)
    target: int | None = None  # the message it may edit
    end: DeliveryResult | None = None  # what came of the one send its holder made

    def _repr_pretty_(self, printer: Any, _cycle: object) -> None:
        """Stand short in a failing example."""
        printer.text(f"{self.kind} no {self.ask.attempt.no} of {label(self.ask.job_id)}")

    @property
    def id(self) -> UUID:
        return self.ask.attempt.id

    @classmethod
    def of(cls, ask: Ask) -> "Asked":
        match ask:
            case SubmissionRequested():
                return cls(ask, "submit")
            case PollRequested():
                return cls(ask, "poll")
            case DeliveryRequested(action=Show(carrier=Existing(message_id=message_id))):
                return cls(ask, "show", target=message_id)
        return cls(ask, ask.action.kind)


class Workers:
    """Every verb once on the store and once on the model; what they answer must be the same."""

    def __init__(self, store: DrivenStore, runner: asyncio.Runner) -> None:
        self.store = store
        self.runner = runner
        self.clock = Clock(START)
        self.model = Model(self.clock)
        self.asked: list[Asked] = []
        self.said: list[Said] = []
        self.waiting: list[Said] = []  # on the bus
        self.is_stalled = False
        self.messages = 100
        self.is_compared = True
        runner.run(store.empty())

    @property
    def kit(self) -> Store:
        return self.store.kit

    def same(self, found: object, promised: object) -> None:
        assert found == promised, f"promised {promised}, found {found}"

    def pick(self, data: st.DataObject, *kinds: str) -> list[Asked]:
        """Pick one attempt: open, overtaken by a later one, or any; none when there is none."""
        if not self.open_attempts(*kinds):
            self.clock.now += BACKOFF
            self.claim()
        desk = self.model.desk
        known = [a for a in self.asked[::-1] if not kinds or a.kind in kinds]
        choice = {
            "open": [a for a in known if desk.is_open(a.id)],
            "overtaken": [a for a in known if desk.is_overtaken(a.id)],
        }.get(data.draw(st.sampled_from(["open", "open", "overtaken", "any"])))
        return [data.draw(st.sampled_from(choice or known))] if known else []

    def open_attempts(self, *kinds: str) -> list[Asked]:
        """Return the attempts whose token still counts, of all kinds when none is named."""
        known = [asked for asked in self.asked if not kinds or asked.kind in kinds]
        return [asked for asked in known if self.model.desk.is_open(asked.id)]

    def step(self, verb: Coroutine[Any, Any, Any]) -> Any:
        """Run one verb at a moment of its own."""
        self.is_compared = False
        self.clock.now += MOMENT
        return self.runner.run(self.store.at(self.clock.now, verb))

    def look(self) -> None:
        """End the step: hear who is asked what, and let what waited for a task meet its job."""
        asks = self.runner.run(self.store.handed_out())
        # In an order that is the same when the same is tried again: ids are drawn anew.
        for ask, places in sorted(asks, key=self._order):
            self.model.desk.handed_out(ask, places)
            self.asked.append(Asked.of(ask))
        self.model.settle()

    def _order(self, asked: tuple[Ask, Places]) -> tuple[int, str, tuple[int, int]]:
        ask, places = asked
        action = getattr(ask, "action", None)
        kind = type(ask).__name__ if action is None else action.kind
        part = action.parts[0] if isinstance(action, Send) else action
        place = places.get(getattr(part, "part_id", None), (0, 0))
        return list(self.model.jobs).index(ask.job_id), kind, place

    def post(self, asked: Asked) -> int:
        self.messages += 1
        asked.posted.append(self.messages)
        return self.messages

    # -- time ------------------------------------------------------------------------------------

    def claim(self) -> None:
        self.step(self.store.claim())
        self.look()

    def sweep(self) -> None:
        """Let the clocks look at leases, deadlines and orphans, and then at what is due."""
        self.step(self.kit.effects.end_leases(200))
        self.model.end_leases()
        self.step(self.kit.effects.expire_jobs(200))
        self.model.expire_jobs()
        self.step(self.kit.orphans.expire(older_than=self.kit.rules.orphan_ttl, limit=200))
        self.model.tasks.expire_orphans()
        self.look()
        self.claim()
        self.same(self.model.desk.forgotten(), [])

    def bring_back(self, bot: str, user: int) -> None:
        found = self.step(self.kit.effects.returned(bot=bot, chat_id=user))
        self.same(found, self.model.returned(bot, user))

    # -- submitters ------------------------------------------------------------------------------

    def begin(self, asked: Asked, holder: UUID) -> bool:
        attempt_id = asked.id
        answer = self.step(self.kit.begin(attempt_id, holder))
        assert isinstance(answer, Go) == self.model.may_begin(attempt_id, holder), answer
        if isinstance(answer, Go):
            self.model.begun(attempt_id, holder, lease=answer.lease)
            if holder not in asked.holders:
                asked.holders.append(holder)
        return isinstance(answer, Go)

    def submitted(self, asked: Asked, result: SubmissionResult, holder: UUID) -> None:
        outcome = submission_outcome(asked.ask, result).model_copy(update={"holder": holder})
        self.say(outcome)

    def say(self, message: Said) -> None:
        """Put a message on the bus, for the first time or again."""
        self.said.append(message)
        self.waiting.append(message)
        if not self.is_stalled:
            self.go_on()

    def go_on(self) -> None:
        """Handle what waits on the bus, in one transaction for each of its durables."""
        self.is_stalled = False
        for kind in (SubmissionOutcome, DeliveryOutcome, ReportReceived):
            batch = [message for message in self.waiting if isinstance(message, kind)]
            if batch:
                self._hear(batch)
        self.waiting.clear()

    def _hear(self, batch: Sequence[Said]) -> None:
        """Apply a batch, one by one when it fails: what fails alone names another job's task."""
        is_refused = self._is_refused(batch)
        if is_refused and len(batch) > 1:
            for message in batch:
                self._hear([message])
            return
        self.same(self.model.hear(batch), not is_refused)
        self.look()

    def _is_refused(self, batch: Sequence[Said]) -> bool:
        verbs = {
            SubmissionOutcome: self.kit.effects.apply_submissions,
            DeliveryOutcome: self.kit.effects.apply_deliveries,
            ReportReceived: self.kit.inbox.apply_reports,
        }
        try:
            self.step(verbs[type(batch[0])](list(batch)))
        except (TaskTakenError, UniqueViolationError):
            return True
        return False

    # -- deliverers ------------------------------------------------------------------------------

    def carried(self, asked: Asked, message: int) -> None:
        attempt_id = asked.id
        answer = self.step(self.kit.carried(attempt_id, message))
        target = answer.message_id if isinstance(answer, Go) else None
        assert target == self.model.carried(attempt_id, message), answer
        asked.target = target or asked.target

    def delivered(self, asked: Asked, result: DeliveryResult, **more: Any) -> None:
        self.say(delivery_outcome(asked.ask, result, **more))

    def done(self, asked: Asked) -> Shown | None:
        """Say what a worker who did as asked reports; None when it was not let to."""
        match asked.kind:
            case "show":
                message = asked.target
            case "rewrite" | "remove":
                message = asked.ask.action.message_id
            case _:
                message = self.post(asked)
        return None if message is None else Shown(message_id=message, file_id=f"file-{message}")

    def send(self, asked: Asked) -> None:
        """Send once, in the name of the holder."""
        if asked.end is None:
            asked.end = sent(asked.ask, self.post(asked))
            self.messages += len(asked.ask.action.parts)
