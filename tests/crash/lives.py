"""The lives a job may lead while a service dies beneath it: what is asked of the system, and how it ends."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from contracts.api import JobView
from contracts.reports import ReportedMedia
from contracts.values import JobState, MediaKind, PartState
from crash import by_hand, company, restoring, trouble
from crash.bot import Bot
from crash.moments import forbid_links
from crash.points import SERVICES
from deployment import FINAL
from sendonce import TooLate
from testkit.processes import holds
from testkit.telegram import FaultPlan, Mode

# What a life asks of the system; the bot asks again until it is answered, with the same key.
Script = Callable[[Bot], Awaitable[JobView]]

POINTS_WITHIN: Final = 3.0  # seconds; with a deliverer dead it may not, and the life goes on
OPEN_PARTS: Final = frozenset({PartState.PENDING, PartState.CARRIED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What is asked, and how it ends when nobody dies."""

    name: str
    script: Script
    ends: JobState = JobState.DELIVERED
    or_ends: JobState | None = None  # when the bot was quicker
    # Words that must have stood in exactly one message, where KIE made nothing to look for.
    words: Callable[[JobView], tuple[str, ...]] = lambda _job: ()
    # What a lost answer may leave for a person to look at, instead of a second message.
    may_be_uncertain: bool = False
    # How many copies of each result an operator asked for, and whether what was paid goes back.
    copies: int = 0
    is_refunded: bool = False
    # Whether KIE's links are dead before anybody is shown what they led to.
    shows_nothing: bool = False
    # Whether the service that dies is told to start, or to stop, while the job lives.
    turns: str = field(default="")
    # And which of them.
    of: tuple[str, ...] = SERVICES
    # Whether it does so only when the bot calls for it.
    turns_when_called: bool = False
    # Whether it puts Postgres back or has a second job-store: a journal has neither.
    needs_postgres: bool = False

    def is_over(self, job: JobView) -> bool:
        """Claim that nothing more will happen to a job by itself."""
        if any(part.state in OPEN_PARTS for part in job.parts):
            return False
        if job.state is JobState.FAILED:
            return bool(job.parts)  # the notice has its message
        held = any(part.state is PartState.UNCERTAIN for part in job.parts)
        return job.state in FINAL or (held and self.may_be_uncertain)


def _created(plan: str, **asked: Any) -> Script:
    return lambda bot: bot.create(plan, **asked)


async def _expected(bot: Bot) -> JobView:
    """A bot that calls KIE itself."""
    job = await bot.expect()
    return await bot.attach(job, await bot.own_task("ok", callback_url=job.callback_url))


async def _orphaned(bot: Bot) -> JobView:
    """The callback comes, and nobody knows its task."""
    task_id = await bot.own_task("ok", callback_url=None)
    await bot.orphan_of(task_id)
    return await bot.attach(await bot.expect(), task_id)


async def _matched(bot: Bot) -> JobView:
    """The bot never tells; an operator puts job and task together."""
    task_id = await bot.own_task("ok", callback_url=None)
    orphan = await bot.orphan_of(task_id)
    job = await bot.expect()
    await bot.ops("orphans.show", orphan_id=orphan["id"])
    await bot.ops("orphans.match", orphan_id=orphan["id"], job_id=str(job.id))
    return job


async def _given_up(bot: Bot) -> JobView:
    """The bot changes its mind: in time, or too late."""
    job = await bot.create("ok")
    with suppress(TooLate):
        return await bot.cancel(job)
    return job


async def _pointed_at(bot: Bot) -> JobView:
    """The result stands in a message of its own, and the status line points to it."""
    job = await bot.until_state(await bot.create("ok", notify="fresh"), *FINAL)
    await holds(
        lambda: all(message.edits for message in bot.telegram.visible(bot.chat_id)),
        within=POINTS_WITHIN,
    )
    return job


def _delivered(bot: Bot) -> Awaitable[JobView]:
    """Nothing of KIE: the bot has the result already."""
    return bot.deliver(ReportedMedia(kind=MediaKind.TEXT, text=f"A haiku of {bot.key}"))


def _uploaded(bot: Bot) -> Awaitable[JobView]:
    """Telegram cannot fetch what KIE made, so its bytes are."""
    forbid_links(bot, "edit")
    return bot.create("ok", status="none")


async def _returned(bot: Bot) -> JobView:
    """The user blocks the bot before the result, and is back later."""
    bot.telegram.block(bot.chat_id)
    job = await bot.create("ok", status="none")
    await bot.until_part(job, PartState.PARKED)
    bot.telegram.unblock(bot.chat_id)
    await bot.returned()
    return job


async def _troubled(bot: Bot) -> JobView:
    """KIE and Telegram say first that it is too much."""
    for method in ("send", "edit"):
        bot.telegram.faults.add(
            FaultPlan(mode=Mode.TOO_MANY, methods=frozenset({method}), chat_id=bot.chat_id, times=1)
        )
    return await bot.create("busy", status="none")


async def _looked_at(bot: Bot) -> JobView:
    """Everybody asks everything there is to ask."""
    job = await bot.create("ok")
    await bot.look_at_everything(job)
    return job


def _haiku(job: JobView) -> tuple[str, ...]:
    return tuple(part.text or "" for part in job.parts if part.ordinal)


def _apology(job: JobView) -> tuple[str, ...]:
    return (f"Job {job.label}. Nothing was charged",)


SENT: Final[Mapping[str, Any]] = {"mode": "send", "caption": "two of them"}

# In this order: a point belongs to the first life that comes to it.
LIVES: Final = (
    Life(name="edited", script=_created("ok")),
    Life(name="polled", script=_created("silent")),
    Life(name="failed", script=_created("fail"), ends=JobState.FAILED, words=_apology),
    Life(name="sent", script=_created("two", **SENT), may_be_uncertain=True),
    Life(name="carried", script=_created("ok", status="none")),
    Life(name="pointed-at", script=_pointed_at),
    Life(name="expected", script=_expected),
    Life(name="orphaned", script=_orphaned),
    Life(name="matched", script=_matched),
    Life(name="given-up", script=_given_up, or_ends=JobState.CANCELLED),
    Life(name="delivered", script=_delivered, words=_haiku),
    Life(name="uploaded", script=_uploaded),
    Life(name="returned", script=_returned),
    Life(name="troubled", script=_troubled),
    Life(name="looked-at", script=_looked_at),
    Life(name="refunded", script=by_hand.refunded, is_refunded=True),
    Life(name="copied", script=by_hand.copied, copies=1),
    Life(name="redelivered", script=by_hand.redelivered),
    Life(name="resolved", script=by_hand.resolved, may_be_uncertain=True),
    Life(name="paused", script=by_hand.paused),
    Life(name="cancelled", script=by_hand.stopped_by_hand, ends=JobState.CANCELLED),
    Life(name="orphan-expired", script=by_hand.given_up_orphan),
    Life(name="beside-poison", script=by_hand.beside_poison),
    Life(name="forgotten", script=by_hand.forgotten),
    Life(name="given-money", script=by_hand.given_money),
    Life(name="restored", script=restoring.restored, needs_postgres=True),
    Life(name="without-bus", script=trouble.without_bus),
    Life(name="untold", script=trouble.untold),
    Life(name="without-database", script=trouble.without_database),
    Life(name="handed-twice", script=trouble.handed_twice),
    Life(name="durables-dropped", script=trouble.durables_dropped),
    Life(name="doubted", script=company.doubted),
    Life(name="unreached", script=trouble.unreached, may_be_uncertain=True),
    Life(name="taken-back", script=trouble.taken_back, ends=JobState.CANCELLED),
    Life(name="sent-as-bytes", script=trouble.sent_as_bytes, may_be_uncertain=True),
    Life(name="uploaded-slowly", script=trouble.uploaded_slowly),
    Life(name="delivered-twice", script=company.delivered_twice, words=_haiku, needs_postgres=True),
    Life(name="renewed-token", script=company.renewed_token),
    Life(
        name="dead-links",
        script=trouble.no_more_there,
        ends=JobState.UNDELIVERABLE,
        shows_nothing=True,
    ),
    Life(name="staged", script=trouble.staged),
    Life(name="hinted", script=company.hinted),
    Life(name="beside-stolen", script=company.beside_stolen),
    Life(name="refused-by-bus", script=trouble.refused_by_bus),
    Life(name="taken-status", script=company.taken_status),
    Life(name="moved-account", script=company.moved_account),
    Life(name="started", script=_created("ok"), turns="start"),
    Life(name="stopped", script=_created("ok"), turns="stop"),
    Life(name="started-first", script=trouble.started_first, turns="start", of=("job_store",)),
    Life(
        name="stopped-asked",
        script=trouble.stopped_asked,
        turns="stop",
        turns_when_called=True,
        of=("job_store",),
    ),
    Life(
        name="stopped-after-upload",
        script=trouble.stopped_after_upload,
        turns="stop",
        turns_when_called=True,
        of=("deliverer",),
    ),
    Life(
        name="stopped-busy",
        script=trouble.stopped_busy,
        turns="stop",
        turns_when_called=True,
        of=("deliverer", "reconciler", "submitter"),
    ),
)
BY_NAME: Final = {life.name: life for life in LIVES}
