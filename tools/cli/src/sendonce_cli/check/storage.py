"""Phase 1: every capability of the storage, called through the doors that bots and operators use."""

from typing import Final

from contracts.api import JobsView, JobView, OneJob
from contracts.ops import BotsView, ListBots, ListJobs
from contracts.refusals import RefusalName
from contracts.repairs import ExpireOrphans, RepairsView
from contracts.reports import ReportedMedia
from contracts.values import JobState, MediaKind
from sendonce_cli.asking import Refused, is_name
from sendonce_cli.probes import speech
from sendonce_cli.probes.hearing import heard_of
from sendonce_cli.probes.items import Phase, Unmet, claim
from sendonce_cli.probes.tenant import MANY, Tenant, ids

PHASE: Final = Phase[Tenant](
    number=1,
    name="storage",
    title="storage API: each capability called",
    todo="look at job-store's log and /readyz; `sendonce doctor` says whether the data is whole",
)


@PHASE.probe(
    "create, get, cancel",
    expects="a job is made as it was asked for, found by id and key, and cancelled before its submission",
)
async def create(lab: Tenant) -> None:
    key, user = lab.key(), lab.user()
    async with lab.paused("submissions"):
        given = lab.options({"key": key, "user_id": user, "chat_id": 42})
        made = lab.made(await lab.bot.create(model="check/none", input={"prompt": "none"}, **given))
        by_id, by_key = await lab.bot.get(made.id), await lab.bot.get(key=key)
        for found in (made, by_id, by_key):
            seen = (found.id, found.key, found.user_id, found.chat_id, found.state)
            claim(seen == (made.id, key, user, 42, JobState.CREATED), f"the job {_told(found)}")
        gone = await lab.bot.cancel(made.id)
    claim(gone.state is JobState.CANCELLED, f"cancelled, the job {_told(gone)}")


@PHASE.probe(
    "find_by_task_id",
    expects="the job of a task is found by the task's id, and nothing by an unknown one",
)
async def find_by_task_id(lab: Tenant) -> None:
    job, task_id = await lab.expect(), lab.task_id()
    await lab.bot.attach(job.id, task_id)

    found = await lab.bot.find_by_task_id(task_id)
    claim([one.id for one in found] == [job.id], f"{len(found)} jobs of the task, not its one")
    none = await lab.bot.find_by_task_id(lab.task_id())
    claim(not none, f"{len(none)} jobs of a task nobody made")


@PHASE.probe(
    "undelivered",
    expects="a result that is known and not shown yet is listed, and no other",
)
async def undelivered(lab: Tenant) -> None:
    chat = lab.seen_chats().chat(0)
    mark = lab.mark()
    async with lab.paused("deliveries"):
        text = ReportedMedia(kind=MediaKind.TEXT, text=f"Kept for later: {mark}")
        waiting = await lab.deliver(text, chat_id=chat)
        shown_nowhere = await lab.expect()
        listed = ids((await lab.bot.undelivered(MANY)).jobs)
        claim(waiting.id in listed, "a result that waits is not listed")
        claim(shown_nowhere.id not in listed, "a job without a result is listed")
    await lab.until_state(waiting, JobState.DELIVERED)
    listed = ids((await lab.bot.undelivered(MANY)).jobs)
    claim(waiting.id not in listed, "a result that stands in its chat is still listed")


@PHASE.probe(
    "changes",
    expects="what became of a job is told in order: created, running, succeeded",
)
async def changes(lab: Tenant) -> None:
    job, task_id = await lab.expect(), lab.task_id()
    await lab.calls_back(job, speech.done("market", task_id).body)
    await lab.until_state(job, JobState.SUCCEEDED)

    told = [line.what for line in (await lab.story(job)).timeline]
    events = [what.removeprefix("event ") for what in told if what.startswith("event ")]
    claim(events == ["created", "running", "succeeded"], f"its story tells {events}")
    heard = await heard_of(lab.bot, job)
    claim(heard == events, f"the bot was told {heard}")


@PHASE.probe(
    "orphans: list, expire, match",
    expects="a kept callback can be given up, and matched by hand all the same",
)
async def orphans(lab: Tenant) -> None:
    task_id = lab.task_id()
    await lab.door.tell(await lab.plain(), speech.done("market", task_id).body)
    orphan = await lab.until_orphan(task_id, "waiting")

    await lab.desk.ops(
        "orphans.expire", ExpireOrphans, RepairsView, orphan_ids=(orphan.id,), **lab.by
    )
    await lab.until_orphan(task_id, "expired")
    job = await lab.expect()
    await lab.match(orphan.id, job)
    matched = await lab.until_orphan(task_id, "matched")
    claim(matched.job_id == job.id, "the orphan was matched to another job")


@PHASE.probe(
    "jobs and bots listed",
    expects="an operator finds the bot and its jobs, newest first",
)
async def lists(lab: Tenant) -> None:
    slug = lab.bot.bot
    bots = (await lab.desk.ops("bots.list", ListBots, BotsView)).bots
    claim(slug in {bot.slug for bot in bots}, f"no bot {slug} among {len(bots)}")
    made = [await lab.expect(), await lab.expect()]
    view = await lab.desk.ops("jobs.list", ListJobs, JobsView, bot=slug, limit=2)
    newest = [job.id for job in view.jobs]
    claim(newest == [job.id for job in reversed(made)], "the two newest jobs are not listed first")


@PHASE.probe(
    "tenants apart",
    expects="another bot is told that there is no such job",
    todo="stop the deployment's other bots: one tenant sees another's jobs",
)
async def tenants(lab: Tenant) -> None:
    job, another = await lab.expect(), "sendonce-nobody"  # which never exists
    try:
        seen = await lab.desk.bot(another, "jobs.get", OneJob, JobView, job_id=job.id)
    except Refused as refused:
        claim(is_name(refused, RefusalName.UNKNOWN_JOB), f"refused with: {refused}")
        return
    raise Unmet(f"another bot was shown the job {seen.label}")


def _told(job: JobView) -> str:
    return f"is {job.state}, key {job.key}, user {job.user_id}, chat {job.chat_id}"
