"""Every subject, made in one place. No ids in subjects, except the bot's slug where access must be separated."""

from typing import Final

REPORT_RECEIVED: Final = "reports.received"
SUBMISSION_REQUESTED: Final = "submissions.requested"
SUBMISSION_OUTCOME: Final = "submissions.outcome"
DELIVERY_REQUESTED: Final = "deliveries.requested"
DELIVERY_OUTCOME: Final = "deliveries.outcome"
POLL_REQUESTED: Final = "polls.requested"

EFFECT_BEGIN: Final = "effects.begin"
EFFECT_CARRIED: Final = "effects.carried"

API_VERBS: Final = (
    "jobs.create",
    "jobs.expect",
    "jobs.attach",
    "jobs.deliver",
    "jobs.get",
    "jobs.find_by_task_id",
    "jobs.undelivered",
    "jobs.cancel",
    "jobs.returned",
    "wallets.get",
    "wallets.topup",
    "wallets.statement",
    "changes",
)
OPS_VERBS: Final = (
    "bots.add",
    "bots.list",
    "bots.texts",
    "jobs.list",
    "jobs.show",
    "jobs.redeliver",
    "jobs.resend",
    "jobs.refund",
    "jobs.cancel",
    "deliveries.uncertain",
    "deliveries.resolve",
    "pauses.set",
    "dead.list",
    "dead.show",
    "dead.settle",
    "orphans.list",
    "orphans.show",
    "orphans.match",
    "orphans.expire",
    "wallets.statement",
    "wallets.topup",
    "users.export",
    "users.forget",
    "audit.list",
    "status",
    "doctor",
    "schema",
    "resume",
)


def api(bot: str, verb: str) -> str:
    """Return the request subject of one verb of one bot."""
    return f"api.{bot}.{verb}"


def ops(verb: str) -> str:
    """Return the request subject of one operator's verb."""
    return f"ops.{verb}"


def job_event(event: str, bot: str) -> str:
    """Return where ``created``, ``running``, ``succeeded`` … of a bot's jobs are announced."""
    return f"jobs.{event}.{bot}"


def orphan_event(event: str) -> str:
    """Return where ``waiting``, ``matched`` and ``expired`` orphans are announced."""
    return f"orphans.{event}"
