"""Laws of the pure rules, whatever happens in whatever order; nothing here touches a database."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from case_world import RULES, SHOP, STAGING, Attempted, World
from contracts.api import CreateJob, DeliverJob, ExpectJob, JobRequest
from contracts.deliveries import (
    DeliveryRequested,
    DeliveryResult,
    Existing,
    Migrated,
    RefusalCode,
    Send,
    Sent,
    Show,
    Shown,
    Stage,
)
from contracts.markup import Button
from contracts.outcomes import Ambiguous, Later, NotSent, Refused
from contracts.polls import PollRequested
from contracts.reports import ReportedMedia, ReportReceived, ReportState
from contracts.submissions import SubmissionRequested, SubmissionResult, TaskCreated
from contracts.values import JobState, MediaKind, MoneyState, PartState
from job_store.domain import delivery, lifecycle
from job_store.domain.reports import Trust
from job_store.domain.rows import FINAL, LIVE, OPEN, PLACING, Door, EffectKind, EffectState, Part
from store_kit import LATER, callback, polled, progressed

PRICE = 300
ONCE = {EffectKind.SUBMIT, EffectKind.POLL, EffectKind.STATUS, EffectKind.PROGRESS}
WAITING_PARTS = {PartState.UNCERTAIN, PartState.PARKED}
AFTER_EXPIRY = {JobState.EXPIRED, JobState.SUCCEEDED, JobState.DELIVERED, JobState.UNDELIVERABLE}
LEDGER = {
    MoneyState.NONE: {},
    MoneyState.HELD: {"hold": 1},
    MoneyState.CAPTURED: {"hold": 1, "capture": 1},
    MoneyState.RELEASED: {"hold": 1, "release": 1},
    MoneyState.WAIVED: {"hold": 1, "release": 1},
    MoneyState.REFUNDED: {"hold": 1, "capture": 1, "refund": 1},
}

moments = st.sampled_from([0.1, 5.0, 16.0, 40.0, 100.0, 4_000.0])
nobody_did = st.sampled_from(
    [NotSent(reason="no"), Later(reason="429", after=2), Ambiguous(reason="timeout")]
)
submissions = st.one_of(nobody_did, st.just(Refused(code="422", reason="no")))
refusals = st.sampled_from(list(RefusalCode)).map(lambda code: Refused(code=code, reason="no"))
deliveries = st.one_of(nobody_did, refusals, refusals)
KINDS = [*(kind.value for kind in MediaKind), "image", "image", "empty"]
media = st.lists(st.sampled_from(KINDS), max_size=4).map(
    lambda kinds: tuple(medium(kind) for kind in kinds)
)
BUTTONS = ((Button(text="Again", data="again"),),)
pytestmark = pytest.mark.timeout(180)  # a hundred lives take a slow machine half a minute

CAPTION = "A long story. " * 100
believed = st.sampled_from([Trust.TRUSTED, Trust.TRUSTED, Trust.CONFIRM, Trust.UNTRUSTED])


def medium(kind: str) -> ReportedMedia:
    match kind:
        case "text":
            return ReportedMedia(kind=MediaKind.TEXT, text="word " * 1_000)
        case "file" | "midi":
            return ReportedMedia(kind=MediaKind(kind), text="words of a document")
        case "empty":
            return ReportedMedia(kind=MediaKind.TEXT, text="")
        case _:
            return ReportedMedia(kind=MediaKind(kind), url=f"https://file.example/{uuid4()}")


@st.composite
def requests(draw: st.DrawFn) -> JobRequest:
    """Draw a request through any of the three doors."""
    shared = {
        "key": str(uuid4()),
        "chat_id": draw(st.sampled_from([7, -7])),
        "user_id": 7,
        "status": draw(st.sampled_from(["auto", "none", 50])),
        "notify": draw(st.sampled_from(["auto", "fresh", "in_place"])),
        "price": draw(st.sampled_from([0, PRICE])),
        "deliver": draw(st.sampled_from([True, True, True, False])),
        "mode": draw(st.sampled_from(["edit", "send"])),
        "buttons": draw(st.sampled_from([(), BUTTONS])),
        "caption": draw(st.sampled_from(["", "two cats", CAPTION])),
        "originals": draw(st.booleans()),
        "not_after": LATER,
    }
    match draw(st.sampled_from(Door)):
        case Door.CREATE:
            return CreateJob(**shared, model="m", input={})
        case Door.EXPECT:
            return ExpectJob(**shared)
        case Door.DELIVER:
            given = draw(media.filter(delivery.showable))
            return DeliverJob(**shared, media=given)


def still_working(ask: PollRequested) -> ReportReceived:
    return polled(ask, state=ReportState.PROGRESS)


class AnyLife(RuleBasedStateMachine):
    """Workers, KIE, the user and the clocks act in any order, late and doubled."""

    world: World

    @initialize(request=requests(), rich=st.booleans(), staging=st.sampled_from([None, STAGING]))
    def a_request(self, request: JobRequest, *, rich: bool, staging: int | None) -> None:
        self.world = World(request, replace(SHOP, rich=rich, staging_chat=staging))
        self.shown: set[UUID] = set()
        self.before = self.world.job.state

    def attempts(self, kind: type) -> list[tuple[UUID, Attempted]]:
        return [(id_, a) for id_, a in self.world.attempts.items() if isinstance(a.request, kind)]

    def pick(self, data: st.DataObject, kind: type) -> tuple[UUID, Attempted] | None:
        """Pick an attempt, the newest first; any may still answer."""
        known = self.attempts(kind)
        return data.draw(st.sampled_from(known[::-1])) if known else None

    # -- time ------------------------------------------------------------------------------------

    @rule(seconds=moments)
    def time_passes(self, seconds: float) -> None:
        self.world.now += timedelta(seconds=seconds)

    @rule()
    def leases_end(self) -> None:
        self.world.end_leases()

    @rule()
    def the_deadline_is_looked_at(self) -> None:
        self.world.expire()

    @rule()
    def what_is_due_is_claimed(self) -> None:
        for effect in self.world.due():
            self.world.claim(effect)

    # -- the submitter ---------------------------------------------------------------------------

    @rule(data=st.data())
    def a_submitter_begins(self, data: st.DataObject) -> None:
        if picked := self.pick(data, SubmissionRequested):
            self.world.begin(picked[0], uuid4())

    @rule(data=st.data(), result=submissions)
    def a_submitter_answers(self, data: st.DataObject, result: SubmissionResult) -> None:
        if picked := self.pick(data, SubmissionRequested):
            attempt_id, attempted = picked
            holder = data.draw(st.sampled_from([*attempted.holders, uuid4()]))
            self.world.submitted(attempt_id, holder, result)

    @rule(data=st.data(), task=st.sampled_from(["a", "a", "b"]))
    def a_submitter_made_the_task(self, data: st.DataObject, task: str) -> None:
        if picked := self.pick(data, SubmissionRequested):
            self.world.submitted(picked[0], uuid4(), TaskCreated(task_id=task))

    # -- the deliverer ---------------------------------------------------------------------------

    @rule(data=st.data())
    def a_deliverer_posts_a_carrier(self, data: st.DataObject) -> None:
        picked = self.pick(data, DeliveryRequested)
        if picked and _is_fresh(picked[1]):
            self.world.carried(picked[0])

    @rule(data=st.data())
    def a_deliverer_is_done(self, data: st.DataObject) -> None:
        if picked := self.pick(data, DeliveryRequested):
            attempt_id, attempted = picked
            message_id = self._done(attempted)
            if message_id is not None:
                self.world.delivered(attempt_id, Shown(message_id=message_id))

    def _done(self, attempted: Attempted) -> int | None:
        assert isinstance(attempted.request, DeliveryRequested)
        if attempted.request.chat_id != self.world.job.chat_id:
            return None
        action = attempted.request.action
        if isinstance(action, Show):
            return attempted.target
        if isinstance(action, Send):
            return None
        return getattr(action, "message_id", None) or self.world.chat.post(
            attempted.request.chat_id
        )

    @rule(data=st.data(), result=deliveries)
    def a_deliverer_fails(self, data: st.DataObject, result: DeliveryResult) -> None:
        picked = self.pick(data, DeliveryRequested)
        if picked and not isinstance(picked[1].request.action, Send):
            self.world.delivered(picked[0], result, carrier_id=picked[1].target)

    def pick_send(self, data: st.DataObject) -> tuple[UUID, Attempted] | None:
        known = [
            (id_, attempted)
            for id_, attempted in self.attempts(DeliveryRequested)
            if isinstance(attempted.request.action, Send)
        ]
        return data.draw(st.sampled_from(known[::-1])) if known else None

    @rule(data=st.data())
    def a_sender_begins(self, data: st.DataObject) -> None:
        if picked := self.pick_send(data):
            self.world.begin(picked[0], uuid4())

    @rule(data=st.data(), is_told=st.booleans())
    def a_sender_sends(self, data: st.DataObject, *, is_told: bool) -> None:
        """What it did may be told now, later, again, or never."""
        picked = self.pick_send(data)
        if picked and picked[1].holders:
            attempt_id, attempted = picked
            if attempted.end is None:
                attempted.end = self.world.send(attempt_id, attempted.holders[0])
            if is_told:
                self.world.delivered(attempt_id, attempted.end, holder=attempted.holders[0])

    @rule(data=st.data(), result=deliveries)
    def a_sender_fails(self, data: st.DataObject, result: DeliveryResult) -> None:
        """The holder tells the truth of its one call; somebody else knows only of himself."""
        if picked := self.pick_send(data):
            attempt_id, attempted = picked
            holder = data.draw(st.sampled_from([*attempted.holders, uuid4()]))
            if holder in attempted.holders:
                if isinstance(attempted.end, Sent):
                    return
                attempted.end = result = attempted.end or result
            self.world.delivered(attempt_id, result, holder=holder)

    @rule(data=st.data())
    def the_group_migrates(self, data: st.DataObject) -> None:
        picked = self.pick(data, DeliveryRequested)
        if (
            picked
            and isinstance(picked[1].request, DeliveryRequested)
            and picked[1].request.chat_id == -7
            and not isinstance(picked[1].request.action, Send | Stage)
        ):
            self.world.delivered(picked[0], Migrated(chat_id=-1_007))

    # -- KIE, the bot and the user -----------------------------------------------------------------

    @rule(
        state=st.sampled_from(ReportState),
        media=media,
        trust=believed,
        task=st.sampled_from(["a", "b", None]),
    )
    def a_report_comes(
        self, state: ReportState, media: Sequence[ReportedMedia], trust: Trust, task: str | None
    ) -> None:
        report = callback(self.world.job.id, state=state, media=tuple(media), task_id=task)
        self.world.report(report, trust)

    @rule(percent=st.floats(0, 100))
    def progress_is_told(self, percent: float) -> None:
        self.world.report(progressed(self.world.job.id, percent), Trust.TRUSTED)

    @rule(data=st.data(), state=st.sampled_from(ReportState), media=media)
    def a_poll_is_answered(
        self, data: st.DataObject, state: ReportState, media: Sequence[ReportedMedia]
    ) -> None:
        if picked := self.pick(data, PollRequested):
            self.world.report(
                polled(picked[1].request, state=state, media=tuple(media)), Trust.TRUSTED
            )

    @rule()
    @precondition(lambda self: self.world.job.door is Door.EXPECT)
    def the_bot_attaches(self) -> None:
        self.world.step(lambda case: lifecycle.learn(case, "a", RULES))

    @rule()
    def the_user_cancels(self) -> None:
        self.world.step(lifecycle.cancel)

    @rule()
    def the_user_is_back(self) -> None:
        self.world.step(delivery.returned)

    @rule(data=st.data())
    def an_open_attempt_is_answered_well(self, data: st.DataObject) -> None:
        self.what_is_due_is_claimed()
        holding = [effect.open_attempt for effect in self.world.effects if effect.open_attempt]
        if holding:
            self.world.act_honestly(data.draw(st.sampled_from(holding)), still_working)

    # -- laws ------------------------------------------------------------------------------------

    @invariant()
    def an_end_is_an_end(self) -> None:
        job, before = self.world.job, self.before
        # One rule may take an expired job past its late success.
        assert before not in FINAL - {JobState.EXPIRED} or job.state is before
        assert before is not JobState.EXPIRED or job.state in AFTER_EXPIRY
        self.before = job.state
        ended = job.state in FINAL or (job.state is JobState.SUCCEEDED and not job.deliver)
        assert (job.ended_at is not None) == (job.cause is not None) == ended

    @invariant()
    def the_ledger_says_what_the_money_is(self) -> None:
        job = self.world.job
        assert dict(self.world.ledger) == LEDGER[job.money]
        assert (job.money is MoneyState.NONE) == (job.price == 0)
        if job.state in OPEN:
            assert job.money in (MoneyState.NONE, MoneyState.HELD)
        if job.state in {JobState.FAILED, JobState.EXPIRED, JobState.CANCELLED}:
            assert job.money in (MoneyState.NONE, MoneyState.RELEASED)

    @invariant()
    def what_was_shown_stays_shown(self) -> None:
        shown = {part.id for part in self.world.parts if part.state is PartState.SHOWN}
        assert self.shown <= shown
        self.shown = shown

    @invariant()
    def rows_are_what_the_schema_allows(self) -> None:
        for part in self.world.parts:
            assert (
                part.state not in {PartState.SHOWN, PartState.CARRIED}
                or part.message_id is not None
            )
            assert (part.state is PartState.REFUSED) == (part.refusal is not None)
            assert part.album is None or self.world.job.mode == "send"
        for effect in self.world.effects:
            acting = effect.state is EffectState.ACTING
            assert acting == (effect.open_attempt is not None) == (effect.lease_until is not None)
            assert not effect.queued or effect.state is EffectState.PENDING
        once = [e.kind for e in self.world.effects if e.kind in ONCE]
        once += [e.part_id for e in self.world.effects if e.kind in PLACING]
        assert len(once) == len(set(once))

    @invariant()
    def no_result_is_deleted_or_overwritten(self) -> None:
        carried = {part.message_id for part in self.world.parts}
        planned = {e.message_id for e in self.world.effects if e.state in LIVE}
        assert not carried & (planned - {None})
        assert not self.world.chat.rewritten & {message_id for _, message_id in self.world.carriers}

    @invariant()
    def nothing_is_stuck(self) -> None:
        world = self.world
        placing = [e for e in world.effects if e.kind in PLACING]
        led = {e.part_id: {part.id for part in world.group(e.part_id)} for e in placing}
        moving = {id_ for e in placing if e.state in LIVE for id_ in led[e.part_id]}
        planned = {id_ for group in led.values() for id_ in group}
        for part in world.parts:
            if world.job.deliver and part.id in planned:
                waits = part.state in {PartState.PENDING, PartState.CARRIED}
                assert part.id in moving or not waits, part
        if world.job.state is JobState.SUCCEEDED and world.job.deliver:
            assert any(part.id in moving or part.state in WAITING_PARTS for part in _results(world))
        if world.job.state is JobState.RUNNING:
            assert any(e.kind is EffectKind.POLL and e.state in LIVE for e in world.effects)
        if world.job.state is JobState.CREATED:
            assert any(e.kind is EffectKind.SUBMIT and e.state in LIVE for e in world.effects)

    @invariant()
    def nobody_submits_what_runs_or_is_over(self) -> None:
        if self.world.job.state not in {JobState.CREATED, JobState.SUBMITTING}:
            assert not [
                e for e in self.world.effects if e.kind is EffectKind.SUBMIT and e.state in LIVE
            ]

    def teardown(self) -> None:
        """Let everybody answer: every job ends or waits for a person, and then nothing acts any more."""
        if not hasattr(self, "world"):
            return
        self.world.play_out(still_working)
        job = self.world.job
        assert job.state in FINAL or not job.deliver or _waits(self.world), job.state
        live = [e.kind for e in self.world.effects if e.state in LIVE]
        assert not live, live


def _waits(world: World) -> bool:
    is_succeeded = world.job.state is JobState.SUCCEEDED
    return is_succeeded and any(part.state in WAITING_PARTS for part in _results(world))


def _results(world: World) -> list[Part]:
    return [part for part in world.parts if not part.is_notice]


def _is_fresh(attempted: Attempted) -> bool:
    action = attempted.request.action if isinstance(attempted.request, DeliveryRequested) else None
    return isinstance(action, Show) and not isinstance(action.carrier, Existing)


AnyLife.TestCase.settings = settings(
    max_examples=250,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestAnyLife = AnyLife.TestCase
