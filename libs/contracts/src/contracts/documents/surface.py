"""Who says what to whom: one row for every subject of the bus, its message, its writers and its readers."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contracts import api, ops, refusals, repairs, streams, subjects, users
from contracts.deliveries import DeliveryOutcome, DeliveryRequested
from contracts.effects import Begin, Carried, Go, Stop
from contracts.events import JobEvent, JobEventName, OrphanEvent, OrphanEventName
from contracts.message import Message, Value
from contracts.polls import PollRequested
from contracts.reports import ReportReceived
from contracts.submissions import SubmissionOutcome, SubmissionRequested


class Party(StrEnum):
    """Who takes part: the five services, and the two outside that speak over the bus."""

    GATEWAY = "callback-gateway"
    STORE = "job-store"
    SUBMITTER = "submitter"
    DELIVERER = "deliverer"
    RECONCILER = "reconciler"
    BOT = "bot"
    COMMAND = "command"


SERVICES: Final = (
    Party.GATEWAY,
    Party.STORE,
    Party.SUBMITTER,
    Party.DELIVERER,
    Party.RECONCILER,
)
PURPOSE: Final = {
    Party.GATEWAY: "Takes KIE's callbacks at the public port and stores them as `reports.received`.",
    Party.STORE: "The only judge: owns every job, its money and its history, and decides what is due.",
    Party.SUBMITTER: "Makes one createTask call for each request and tells what came of it.",
    Party.DELIVERER: "Makes the Telegram calls and tells what came of them.",
    Party.RECONCILER: "Asks KIE about one task for each request and answers as a callback would.",
}

BOT_NAME: Final = "{bot}"  # how an address writes the bot's slug
EVENT_NAME: Final = "{event}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A message that a stream stores."""

    name: str
    address: str
    what: str
    message: type[Message]
    stream: str
    written_by: tuple[Party, ...]
    read_by: Party
    durable: str | None = None  # None: bots read as they like
    events: type[StrEnum] | None = None  # what `{event}` may say


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request that job-store answers, to the asker's inbox."""

    name: str
    address: str
    what: str
    ask: type[Value]
    answers: tuple[type[Value], ...]
    asked_by: tuple[Party, ...]
    answered_by: Party = Party.STORE


def _work(
    subject: str, message: type[Message], what: str, *, by: tuple[Party, ...], to: Party
) -> Fact:
    (durable,) = [one.durable for one in streams.CONSUMERS if one.subject == subject]
    return Fact(
        name=subject,
        address=subject,
        what=what,
        message=message,
        stream=streams.stream_of(subject),
        written_by=by,
        read_by=to,
        durable=durable,
    )


FACTS: Final = (
    _work(
        subjects.REPORT_RECEIVED,
        ReportReceived,
        "What KIE said about a task.",
        by=(Party.GATEWAY, Party.RECONCILER),
        to=Party.STORE,
    ),
    _work(
        subjects.SUBMISSION_REQUESTED,
        SubmissionRequested,
        "A createTask call that is due.",
        by=(Party.STORE,),
        to=Party.SUBMITTER,
    ),
    _work(
        subjects.SUBMISSION_OUTCOME,
        SubmissionOutcome,
        "What came of a createTask call.",
        by=(Party.SUBMITTER,),
        to=Party.STORE,
    ),
    _work(
        subjects.DELIVERY_REQUESTED,
        DeliveryRequested,
        "A Telegram call that is due.",
        by=(Party.STORE,),
        to=Party.DELIVERER,
    ),
    _work(
        subjects.DELIVERY_OUTCOME,
        DeliveryOutcome,
        "What came of a Telegram call.",
        by=(Party.DELIVERER,),
        to=Party.STORE,
    ),
    _work(
        subjects.POLL_REQUESTED,
        PollRequested,
        "A question to KIE that is due.",
        by=(Party.STORE,),
        to=Party.RECONCILER,
    ),
    Fact(
        name="jobs.event",
        address=subjects.job_event(EVENT_NAME, BOT_NAME),
        what="What became of a job; its bot reads the same, and for longer, by `changes`.",
        message=JobEvent,
        stream=streams.JOBS,
        written_by=(Party.STORE,),
        read_by=Party.BOT,
        events=JobEventName,
    ),
    Fact(
        name="orphans.event",
        address=subjects.orphan_event(EVENT_NAME),
        what="What became of callbacks whose job was not known.",
        message=OrphanEvent,
        stream=streams.JOBS,
        written_by=(Party.STORE,),
        read_by=Party.BOT,
        events=OrphanEventName,
    ),
)

# verb: request, view, what it does. A view of a refusal is possible with each.
API: Final[dict[str, tuple[type[Value], type[Value], str]]] = {
    "jobs.create": (api.CreateJob, api.JobView, "Make a job; we submit its task."),
    "jobs.expect": (api.ExpectJob, api.JobView, "Make a job whose task the bot submits itself."),
    "jobs.attach": (api.AttachTask, api.JobView, "Say which task belongs to an expected job."),
    "jobs.deliver": (api.DeliverJob, api.JobView, "Make a job of a finished result; only show it."),
    "jobs.get": (api.OneJob, api.JobView, "Look at one job."),
    "jobs.find_by_task_id": (api.ByTask, api.JobsView, "Find the jobs of a KIE task."),
    "jobs.undelivered": (api.Page, api.JobsView, "List results that do not stand in their chat."),
    "jobs.cancel": (api.OneJob, api.JobView, "Cancel a job that was not submitted yet."),
    "jobs.returned": (api.ChatReturned, api.Done, "Say that a user unblocked the bot."),
    "wallets.get": (api.WalletRef, api.WalletView, "Look at a user's money."),
    "wallets.topup": (api.TopUp, api.WalletView, "Credit a payment, once."),
    "wallets.statement": (api.WalletRef, api.StatementView, "List a wallet's latest transfers."),
    "changes": (api.Changes, api.ChangesView, "Read the bot's events after a cursor."),
}
OPS: Final[dict[str, tuple[type[Value], type[Value], str]]] = {
    "bots.add": (ops.AddBot, ops.BotView, "Register a bot, or change a known one."),
    "bots.list": (ops.ListBots, ops.BotsView, "List all bots."),
    "bots.texts": (ops.SetTexts, ops.BotView, "Replace a bot's own texts."),
    "jobs.list": (ops.ListJobs, api.JobsView, "List the latest jobs."),
    "jobs.show": (ops.ShowJob, ops.JobStory, "Tell everything that happened to a job."),
    "orphans.list": (ops.ListOrphans, api.OrphansView, "List the latest orphans."),
    "orphans.show": (ops.ShowOrphan, ops.OrphanStory, "Show an orphan with its callbacks."),
    "orphans.match": (api.MatchOrphan, api.JobView, "Say by hand whose an orphan is."),
    "jobs.redeliver": (repairs.RedeliverJobs, repairs.RepairsView, "Try again to show results."),
    "jobs.resend": (repairs.ResendJobs, repairs.RepairsView, "Show deliberate copies."),
    "jobs.refund": (repairs.RefundJobs, repairs.RepairsView, "Give back what was paid."),
    "jobs.cancel": (repairs.CancelJobs, repairs.RepairsView, "Cancel what is not submitted."),
    "deliveries.uncertain": (
        repairs.ListUncertain,
        repairs.UncertainView,
        "List results that may be in their chat or not.",
    ),
    "deliveries.resolve": (repairs.ResolvePart, repairs.RepairsView, "Say what became of one."),
    "pauses.set": (repairs.SetPause, repairs.PauseView, "Stop or start one thing for one bot."),
    "dead.list": (repairs.ListDead, repairs.DeadLettersView, "List dead letters."),
    "dead.show": (repairs.ShowDead, repairs.DeadStory, "Show a dead letter as it came."),
    "dead.settle": (repairs.SettleDead, repairs.SettledDeadView, "Replay or discard them."),
    "orphans.expire": (repairs.ExpireOrphans, repairs.RepairsView, "Give up waiting."),
    "users.export": (users.ExportUser, users.UserExportView, "Hand out all kept of a user."),
    "users.forget": (users.ForgetUser, users.UserForgottenView, "Take out a user's content."),
    "audit.list": (repairs.ListAudit, repairs.AuditView, "List changes by hand."),
    "wallets.statement": (ops.WalletStatement, api.StatementView, "Show a wallet of any bot."),
    "wallets.topup": (ops.CreditWallet, api.WalletView, "Credit a payment by hand, once."),
    "status": (ops.AskStatus, ops.StatusView, "Show everything on one screen."),
    "doctor": (ops.AskDoctor, ops.DoctorView, "Check the invariants."),
    "schema": (ops.AskSchema, ops.SchemaView, "Compare the schema with what this version ships."),
    "resume": (ops.Resume, ops.ResumeView, "Find the way back after a restore of Postgres."),
}


def _questions() -> Iterator[Question]:
    for verb, (ask, view, what) in API.items():
        yield Question(
            name=f"api.{verb}",
            address=subjects.api(BOT_NAME, verb),
            what=what,
            ask=ask,
            answers=(view, refusals.ErrorReply),
            # The command asks in the name of a bot.
            asked_by=(Party.BOT, Party.COMMAND),
        )
    for verb, (ask, view, what) in OPS.items():
        yield Question(
            name=subjects.ops(verb),
            address=subjects.ops(verb),
            what=what,
            ask=ask,
            answers=(view, refusals.ErrorReply),
            asked_by=(Party.COMMAND,),
        )


QUESTIONS: Final = (
    Question(
        name=subjects.EFFECT_BEGIN,
        address=subjects.EFFECT_BEGIN,
        what="May I act? Asked before what must not happen twice: createTask, and `send`.",
        ask=Begin,
        answers=(Go, Stop, refusals.ErrorReply),
        asked_by=(Party.SUBMITTER, Party.DELIVERER),
    ),
    Question(
        name=subjects.EFFECT_CARRIED,
        address=subjects.EFFECT_CARRIED,
        what="May I put the result into the carrier just posted?",
        ask=Carried,
        answers=(Go, Stop, refusals.ErrorReply),
        asked_by=(Party.DELIVERER,),
    ),
    *_questions(),
)
