"""A job in memory with everybody who acts on it: claims, honest workers, late and doubled answers."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from chat_oracle import Chat
from contracts.api import CreateJob, DeliverJob, ExpectJob, JobRequest
from contracts.deliveries import (
    DeliveryOutcome,
    DeliveryRequested,
    DeliveryResult,
    Existing,
    Send,
    Sent,
    SentPart,
    Show,
    Shown,
    Stage,
)
from contracts.outcomes import Ambiguous, Refused
from contracts.polls import PollRequested
from contracts.reports import ReportReceived
from contracts.submissions import SubmissionOutcome, SubmissionRequested, SubmissionResult
from contracts.values import JobState, MoneyState, new_id
from job_store.domain import delivery, lifecycle, money, reports
from job_store.domain.case import Case
from job_store.domain.rows import LIVE, Bot, Door, Effect, EffectKind, EffectState, Job, Owner, Part
from job_store.domain.rules import Rules

STAGING = -100_500
START = datetime(2026, 11, 24, tzinfo=UTC)
RULES = Rules(callback_url=lambda job_id, no: f"https://gate.example/{job_id}/{no}")
SHOP = Bot(
    slug="shop",
    token_ref="shop",
    kie_account="default",
    currency="RUB",
    language="en",
    texts={},
    rich=False,
    staging_chat=None,
    created_at=START,
)
DOOR = {CreateJob: Door.CREATE, ExpectJob: Door.EXPECT, DeliverJob: Door.DELIVER}


@dataclass(slots=True)
class Attempted:
    """One attempt as its worker knows it."""

    effect_id: UUID
    request: SubmissionRequested | DeliveryRequested | PollRequested
    holders: list[UUID] = field(default_factory=list)
    target: int | None = None  # the message it was told to edit
    end: DeliveryResult | None = None  # what came of the one send its holder made


def job_of(request: JobRequest) -> Job:
    """Make the row a request is stored as."""
    given = request.status if isinstance(request.status, int) else None
    shared = {f.name: getattr(request, f.name) for f in fields(Job) if hasattr(request, f.name)}
    blank = dict.fromkeys((f.name for f in fields(Job)), None)
    own = {
        "id": new_id(),
        "bot": "shop",
        "digest": "",
        "door": DOOR[type(request)],
        "state": JobState.CREATED,
        "version": 1,
        "deliver": request.deliver or isinstance(request, DeliverJob),
        "account": "default",
        "family": "market",
        "operation": "generate",
        "model": "m",
        "money": MoneyState.NONE,
        "status_message_id": given,
        "status_at": None if given is None else START,
        "delivery_no": 0,
        "created_at": START,
        "expires_at": START + RULES.job_ttl,
    }
    return Job(**(blank | shared | own))


class World:
    """Every step is one transaction: a case loaded, decided on, and what it wrote kept."""

    def __init__(self, request: JobRequest, bot: Bot = SHOP, rules: Rules = RULES) -> None:
        self.bot = bot
        self.rules = rules
        self.now = START
        self.rows: tuple[Job, dict[UUID, Effect], dict[UUID, Part], list[Owner]] = (
            job_of(request),
            {},
            {},
            [],
        )
        self.ledger: Counter[str] = Counter()
        self.carriers: dict[tuple[int, int], UUID] = {}
        self.attempts: dict[UUID, Attempted] = {}
        self.chat = Chat()
        self.news: list[str] = []
        if isinstance(request.status, int):
            self.chat.posted[request.status] = request.chat_id
        self.step(lambda case: _open(case, request, self.rules))

    @property
    def job(self) -> Job:
        return self.rows[0]

    @property
    def effects(self) -> list[Effect]:
        return list(self.rows[1].values())

    @property
    def parts(self) -> list[Part]:
        return list(self.rows[2].values())

    def group(self, part_id: UUID | None) -> list[Part]:
        """Return the parts that one effect puts into the chat."""
        assert part_id is not None
        lead = self.rows[2][part_id]
        together = (lead.delivery_no, lead.album)
        return (
            [p for p in self.parts if p is lead or (p.delivery_no, p.album) == together]
            if (lead.album is not None)
            else [lead]
        )

    def step(self, decide: Callable[[Case], object]) -> object:
        """Run one transaction."""
        job, effects, parts, owners = self.rows
        case = Case(
            job=job,
            bot=self.bot,
            now=self.now,
            effects=effects.values(),
            parts=parts.values(),
            owners=owners,
        )
        answer = decide(case)
        self.rows = (case.job, case.effects, case.parts, case.owners)
        self._keep(case)
        return answer

    def _keep(self, case: Case) -> None:
        self.ledger.update(transfer.kind for transfer in case.transfers)
        self.news += case.news
        for carrier in case.carriers:
            place = (carrier.chat_id, carrier.message_id)
            assert self.carriers.setdefault(place, carrier.part_id) == carrier.part_id, (
                "a message carries two parts"
            )
        for opened, (_, request) in zip(case.opened, case.requests, strict=True):
            assert isinstance(request, SubmissionRequested | DeliveryRequested | PollRequested)
            kept = self.attempts[opened.id] = Attempted(opened.effect_id, request)
            if isinstance(request, DeliveryRequested):
                action, kind = request.action, self.rows[1][opened.effect_id].kind
                if isinstance(action, Show) and isinstance(action.carrier, Existing):
                    kept.target = action.carrier.message_id
                carriers = {message_id for _, message_id in self.carriers}
                self.chat.asked(request, kind, carriers=carriers, now=self.now)
                self._look_at_order(case, kept)

    def _look_at_order(self, case: Case, kept: Attempted) -> None:
        """A send goes when everything before it is settled."""
        effect = case.effects[kept.effect_id]
        if effect.kind is EffectKind.SEND and effect.part_id is not None:
            group = case.group(case.parts[effect.part_id])
            before = [p for p in case.delivery if p.ordinal < group[0].ordinal]
            others = [case.placing_of(p) for p in before]
            assert not [e for e in others if e is None or e.state in LIVE], "out of order"

    # -- the store's clocks ----------------------------------------------------------------------

    def due(self) -> list[Effect]:
        pending = [
            e for e in self.effects if e.state is EffectState.PENDING and e.due_at <= self.now
        ]
        return sorted(pending, key=lambda effect: effect.due_at)

    def claim(self, effect: Effect) -> None:
        self.step(lambda case: _claim(case, case.effects[effect.id], self.rules))

    def end_leases(self) -> None:
        for effect in self.effects:
            if effect.lease_until is not None and effect.lease_until < self.now:
                self.step(
                    lambda case, id_=effect.id: lifecycle.on_lease_end(
                        case, case.effects[id_], self.rules
                    )
                )

    def expire(self) -> None:
        self.step(lambda case: lifecycle.expire(case, self.rules))

    # -- the workers -----------------------------------------------------------------------------

    def begin(self, attempt_id: UUID, holder: UUID) -> bool:
        effect_id = self.attempts[attempt_id].effect_id
        answer = self.step(
            lambda case: lifecycle.begin(
                case, case.effects[effect_id], self.rules, attempt_id=attempt_id, holder=holder
            )
        )
        if isinstance(answer, str):
            return False
        self.attempts[attempt_id].holders.append(holder)
        request = self.attempts[attempt_id].request
        if isinstance(request, DeliveryRequested):
            self.chat.began(request)
        return True

    def submitted(self, attempt_id: UUID, holder: UUID, result: SubmissionResult) -> None:
        effect_id = self.attempts[attempt_id].effect_id
        outcome = SubmissionOutcome(
            id=str(uuid4()),
            at=self.now,
            attempt_id=attempt_id,
            holder=holder,
            job_id=self.job.id,
            result=result,
        )
        self.step(
            lambda case: lifecycle.on_submission(case, case.effects[effect_id], outcome, self.rules)
        )

    def carried(self, attempt_id: UUID) -> int | None:
        """Post a carrier and ask whether to edit it; returns the posted message."""
        attempted = self.attempts[attempt_id]
        assert isinstance(attempted.request, DeliveryRequested)
        message_id = self.chat.post(attempted.request.chat_id)
        if attempted.request.chat_id != self.job.chat_id:
            return None  # Telegram tells the poster of the migration before anything is posted
        answer = self.step(
            lambda case: delivery.carried(
                case,
                case.effects[attempted.effect_id],
                attempt_id=attempt_id,
                message_id=message_id,
            )
        )
        attempted.target = answer if isinstance(answer, int) else attempted.target
        return message_id

    def delivered(
        self,
        attempt_id: UUID,
        result: DeliveryResult,
        *,
        carrier_id: int | None = None,
        holder: UUID | None = None,
    ) -> None:
        attempted = self.attempts[attempt_id]
        assert isinstance(attempted.request, DeliveryRequested)
        self.chat.answered(attempted.request, result, self.now)
        if holder in attempted.holders and not isinstance(result, Sent | Ambiguous):
            self.chat.did_not_send(attempt_id)
        outcome = DeliveryOutcome(
            id=str(uuid4()),
            at=self.now,
            attempt_id=attempt_id,
            holder=holder,
            job_id=self.job.id,
            bot="shop",
            chat_id=attempted.request.chat_id,
            result=result,
            carrier_id=carrier_id,
        )
        self.step(
            lambda case: delivery.on_outcome(
                case, case.effects[attempted.effect_id], outcome, self.rules
            )
        )

    def send(self, attempt_id: UUID, holder: UUID) -> Sent:
        """Send everything asked for, in the name of a holder who was let through."""
        request = self.attempts[attempt_id].request
        assert isinstance(request, DeliveryRequested)
        assert isinstance(request.action, Send)
        assert holder in self.attempts[attempt_id].holders
        self.chat.did_send(request)
        parts = tuple(
            SentPart(part_id=one.part_id, message_id=self.chat.post(request.chat_id))
            for one in request.action.parts
        )
        return Sent(parts=parts)

    def report(self, report: ReportReceived, believed: reports.Trust) -> None:
        self.step(lambda case: reports.on_report(case, report, believed, self.rules))

    # -- a fair end ------------------------------------------------------------------------------

    def act_honestly(
        self, attempt_id: UUID, unanswered: Callable[[PollRequested], ReportReceived]
    ) -> None:
        """Answer an open attempt as a worker without faults would."""
        request = self.attempts[attempt_id].request
        match request:
            case SubmissionRequested():
                self.submitted(attempt_id, attempt_id, Refused(code="422", reason="no"))
            case PollRequested():
                self.report(unanswered(request), reports.Trust.TRUSTED)
            case DeliveryRequested():
                self._deliver_honestly(attempt_id, request)

    def _deliver_honestly(self, attempt_id: UUID, request: DeliveryRequested) -> None:
        match request.action:
            case Send():
                self._send_honestly(attempt_id)
            case Stage():
                staged = Shown(message_id=self.chat.post(STAGING), file_id=f"file-{attempt_id}")
                self.delivered(attempt_id, staged)
            case Show(carrier=carrier):
                if not isinstance(carrier, Existing):
                    self.carried(attempt_id)
                target = self.attempts[attempt_id].target
                if target is not None:
                    self.delivered(attempt_id, Shown(message_id=target))
            case action:
                message_id = getattr(action, "message_id", None) or self.chat.post(request.chat_id)
                self.delivered(attempt_id, Shown(message_id=message_id))

    def _send_honestly(self, attempt_id: UUID) -> None:
        attempted = self.attempts[attempt_id]
        if not attempted.holders and not self.begin(attempt_id, attempt_id):
            return
        holder = attempted.holders[0]
        if attempted.end is None:
            attempted.end = self.send(attempt_id, holder)
        self.delivered(attempt_id, attempted.end, holder=holder)

    def play_out(self, unanswered: Callable[[PollRequested], ReportReceived]) -> None:
        """Let time pass with every effect claimed and answered, until the deadline is long past."""
        for turn in range(220):
            # The last look is at what waits half a day.
            self.now += timedelta(hours=13) if turn == 200 else timedelta(seconds=40)
            self.end_leases()
            self.expire()
            for effect in self.due():
                self.claim(effect)
            for effect in self.effects:
                if effect.open_attempt is not None:
                    self.act_honestly(effect.open_attempt, unanswered)


def _open(case: Case, request: JobRequest, rules: Rules) -> None:
    lifecycle.open_job(case, request, rules)
    if isinstance(request, DeliverJob):
        case.move(JobState.SUCCEEDED)
        money.capture(case)
        delivery.make_parts(case, request.media)


def _claim(case: Case, effect: Effect, rules: Rules) -> None:
    if effect.state is not EffectState.PENDING:
        return
    if (wait := delivery.waits(case, effect)) is not None:
        case.again(effect, after=wait, failures=effect.failures)
    elif effect.kind is EffectKind.SUBMIT:
        lifecycle.claim_submission(case, effect, rules)
    elif effect.kind is EffectKind.POLL:
        lifecycle.claim_poll(case, effect)
    else:
        delivery.claim(case, effect, rules)
