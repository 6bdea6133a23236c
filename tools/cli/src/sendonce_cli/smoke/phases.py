"""The nine phases: user, job, task, callback, charge, delivery, orphan, undelivered, books."""

from typing import Final

from contracts.api import JobView, StatementView
from contracts.ops import AskDoctor, AskStatus, DoctorView, StatusView
from contracts.reports import ReportedMedia
from contracts.values import JobState, MediaKind, MoneyState
from sendonce import JobOptions
from sendonce_cli.probes import speech
from sendonce_cli.probes.hearing import heard_of
from sendonce_cli.probes.items import Phase, Unshown, claim
from sendonce_cli.probes.kie import ENDED as TASK_ENDED
from sendonce_cli.probes.kie import Task
from sendonce_cli.probes.tenant import CURRENCY, ENDED, MANY, Tenant, ids
from sendonce_cli.smoke.journey import FAMILY, PAID, PRICE, Journey

STARTED: Final = (JobState.RUNNING, JobState.SUCCEEDED, *ENDED)
SIGNS: Final = {"topup": 1, "hold": -1, "release": 1, "refund": 1, "capture": 0}
TOLD: Final = ["created", "running", "succeeded", "delivered"]


def _phase(number: int, name: str, title: str, todo: str) -> Phase[Journey]:
    return Phase(number=number, name=name, title=title, todo=todo)


LOGS: Final = "look at the log of"
USER: Final = _phase(1, "user", "user: a wallet, filled once", f"{LOGS} job-store")
JOB: Final = _phase(2, "job", "job: created, its price held, the user told", f"{LOGS} job-store")
TASK: Final = _phase(3, "task", "task: KIE was asked, once", f"{LOGS} submitter, and the KIE key")
CALLBACK: Final = _phase(
    4, "callback", "callback: heard, believed, decided", f"{LOGS} callback-gateway and reconciler"
)
CHARGE: Final = _phase(5, "charge", "charge: what was held is taken, once", "`sendonce doctor`")
DELIVERY: Final = _phase(
    6, "delivery", "delivery: the result stands in one message", f"{LOGS} deliverer"
)
ORPHAN: Final = _phase(
    7,
    "orphan",
    "orphan: a callback faster than its job",
    f"{LOGS} job-store for [ORPHAN_RECONCILE]",
)
UNDELIVERED: Final = _phase(
    8,
    "undelivered",
    "undelivered: tried again until it stands",
    "`sendonce jobs show`, and the deliverer's log",
)
BOOKS: Final = _phase(9, "books", "books: nothing held or open, no law broken", "`sendonce doctor`")
PHASES: Final = (USER, JOB, TASK, CALLBACK, CHARGE, DELIVERY, ORPHAN, UNDELIVERED, BOOKS)


@USER.probe("top-up", expects="a payment is credited once, however often it is told")
async def topup(journey: Journey) -> None:
    lab, user = journey.lab, journey.lab.user()
    reference = lab.key()
    for _ in range(2):
        await lab.bot.topup(user, currency=CURRENCY, amount=PAID, reference=reference)
    wallet = await lab.wallet(user)
    claim((wallet.balance, wallet.held) == (PAID, 0), f"{wallet.balance} free of {PAID}")
    journey.user = user


@JOB.probe(
    "create and hold",
    expects="the job is made, its price set aside, and the same key is the same job",
)
async def create(journey: Journey) -> None:
    # Held until the user was told: the chat may have its turn only after a quick task has ended.
    await journey.quick("first", held=True)
    asked: JobOptions = {
        "key": journey.lab.key(),
        "user_id": journey.user,
        "price": PRICE,
        "chat_id": journey.chat,
        "status": "auto",
    }
    journey.job = await journey.create("first", **asked)
    again = await journey.create("first", **asked)
    ledger = await journey.lab.ledger(journey.job)
    claim(ledger[:1] == ["hold"], f"its ledger is {ledger}")
    claim(again.id == journey.job.id, "the same key made another job")


@JOB.probe("status line", expects="the user reads at once that it is being worked on")
async def status_line(journey: Journey) -> None:
    async def posted() -> int | None:
        return (await journey.lab.look(journey.job)).status_message_id

    async def instead() -> str:
        return "no status line was posted"

    await journey.lab.until(posted, instead=instead)


@TASK.probe("createTask", expects="KIE took one task, the job knows its id and is found by it")
async def task(journey: Journey) -> None:
    job = await journey.lab.until_state(journey.job, *STARTED)
    claim(len(job.task_ids) == 1, f"the job is {job.state} with the tasks {job.task_ids}")
    if journey.kie is not None:
        made = await journey.kie.tasks(journey.mark("first"))
        claim([one.task_id for one in made] == [*job.task_ids], f"KIE made {len(made)} tasks")
    found = await journey.lab.bot.find_by_task_id(job.task_ids[0])
    claim(ids(found) == {job.id}, f"{len(found)} jobs are found by its task id")


@CALLBACK.probe(
    "KIE calls back", expects="its callback is answered 200, believed, and ends the job"
)
async def callback(journey: Journey) -> None:
    lab = journey.lab
    if journey.kie is not None:
        await journey.kie.finish(journey.mark("first"))
    done = await lab.until_state(
        journey.job, JobState.SUCCEEDED, JobState.DELIVERED, JobState.FAILED, JobState.EXPIRED
    )
    claim(done.state in (JobState.SUCCEEDED, JobState.DELIVERED), f"{done.state}: {done.error}")
    reports = await _believed(lab, done)
    if "callback" in reports:
        return
    if journey.kie is not None:
        (made,) = await journey.kie.tasks(journey.mark("first"))
        taken = any(one.accepted for one in made.callbacks)
        claim(not taken, "KIE's callback was answered 200, and the job never heard of it")
    raise Unshown(
        f"the result was believed of a {' and a '.join(sorted(reports)) or 'rumour'}",
        todo="set SENDONCE_PUBLIC_URL to an address KIE reaches, and look at the gateway's log",
    )


@CALLBACK.probe(
    "a doubtful callback", expects="KIE itself is asked, and only what it answers is shown"
)
async def doubtful(journey: Journey) -> None:
    lab, kie = journey.lab, journey.sandbox()
    await journey.quick("silent", calls_back=False)
    job = await journey.create("silent", chat_id=journey.chat)
    made = await _ended(journey, "silent")
    # A stranger who knows the id tells of another result.
    await lab.door.tell(await lab.plain(), speech.done(FAMILY, made.task_id).body)
    done = await journey.shown(job)
    links = tuple(part.url for part in done.parts)
    claim(links == made.media_urls, f"shown is {links}, and KIE made {made.media_urls}")
    polls = (await kie.tasks(journey.mark("silent")))[0].polls
    claim(polls, "KIE was never asked")


@CHARGE.probe("capture", expects="the price is taken once and nothing stays held")
async def charge(journey: Journey) -> None:
    wallet, ledger = await journey.lab.wallet(journey.user), await journey.lab.ledger(journey.job)
    job = await journey.lab.look(journey.job)
    seen = f"{wallet.balance} free, {wallet.held} held, money {job.money}, ledger {ledger}"
    claim((wallet.balance, wallet.held) == (PAID - PRICE, 0), seen)
    claim((job.money, ledger) == (MoneyState.CAPTURED, ["hold", "capture"]), seen)


@DELIVERY.probe(
    "shown", expects="the result stands in its chat, in one message, and the job knows it"
)
async def shown(journey: Journey) -> None:
    await journey.shown(journey.job)


@DELIVERY.probe("told", expects=f"its bot was told {', '.join(TOLD)}, in this order")
async def told(journey: Journey) -> None:
    events = await heard_of(journey.lab.bot, journey.job)
    claim(events == TOLD, f"it was told {', '.join(events) or 'nothing'}")


@ORPHAN.probe(
    "kept and matched", expects="a callback before its job waits, and its result is shown once"
)
async def orphan(journey: Journey) -> None:
    lab = journey.lab
    task_id = await _own_task(journey)
    await lab.until_orphan(task_id, "waiting")
    job = await lab.expect(deliver=True, chat_id=journey.chat)
    await lab.bot.attach(job.id, task_id)
    matched = await lab.until_orphan(task_id, "matched")
    claim(matched.job_id == job.id, "it was matched to another job")
    if journey.kie is None:
        # KIE never made this task: the signed callback is what ends it.
        await lab.calls_back(job, speech.lyrics(task_id)[0])
    await journey.shown(job)


@UNDELIVERED.probe(
    "listed, then shown",
    expects="what cannot go out is listed as undelivered, and stands once later",
)
async def undelivered(journey: Journey) -> None:
    lab = journey.lab
    words = ReportedMedia(kind=MediaKind.TEXT, text=f"sendonce smoke {lab.mark()}")
    async with lab.paused("deliveries"):
        job = await lab.deliver(words, chat_id=journey.chat)
        listed = ids((await lab.bot.undelivered(MANY)).jobs)
        claim(job.id in listed, "it is not listed")
    await journey.shown(job)


@UNDELIVERED.probe(
    "Telegram's answer is lost", expects="the result is tried again, and stands in one message ever"
)
async def lost_answer(journey: Journey) -> None:
    lab, telegram = journey.lab, journey.telegram()
    words = ReportedMedia(kind=MediaKind.TEXT, text=f"sendonce smoke {lab.mark()}")
    chat = telegram.chat(21)
    async with telegram.fault(mode="commit_then_close", methods=["edit"], chat_id=chat) as struck:
        job = await lab.deliver(words, chat_id=chat)
        await journey.shown(job)
        claim(await struck(), "no answer was lost: Telegram was never asked to edit")


@BOOKS.probe("wallet", expects="its lines add up to what is free, and nothing is held")
async def wallet(journey: Journey) -> None:
    view: StatementView = await journey.lab.bot.statement(journey.user, CURRENCY)
    total = sum(SIGNS[line.kind] * line.amount for line in view.lines)
    seen = f"{view.wallet.balance} free, {view.wallet.held} held, {total} by its lines"
    claim((view.wallet.balance, view.wallet.held) == (total, 0), seen)


@BOOKS.probe("nothing open", expects="every job of the smoke test has ended")
async def nothing_open(journey: Journey) -> None:
    lab = journey.lab
    view = await lab.desk.ops("status", AskStatus, StatusView)
    ours = {bot.bot: bot.open_jobs for bot in view.bots}
    seen = [await lab.look(job) for job in lab.jobs]
    still = [job for job in seen if job.ended_at is None]
    claim(not still, f"{len(still)} open: {', '.join(f'{job.label} {job.state}' for job in still)}")
    claim(lab.bot.bot in ours, f"status does not know the bot {lab.bot.bot}")


@BOOKS.probe("doctor", expects="every law is kept in the whole deployment")
async def doctor(journey: Journey) -> None:
    view = await journey.lab.desk.ops("doctor", AskDoctor, DoctorView)
    broken = [f"{one.check}: {one.count} ({one.detail})" for one in view.findings if not one.ok]
    claim(not broken, "; ".join(broken))


async def _believed(lab: Tenant, job: JobView) -> set[str]:
    """Name the origins of the successes of a job that were believed."""
    return {
        line.what.removeprefix("report ")
        for line in (await lab.story(job)).timeline
        if line.what.startswith("report ") and line.detail == "succeeded, trusted"
    }


async def _ended(journey: Journey, name: str) -> Task:
    """Wait until the sandbox has finished its one task of this name."""
    kie = journey.sandbox()

    async def ended() -> Task | None:
        made = await kie.tasks(journey.mark(name))
        return made[0] if made and made[0].state in TASK_ENDED else None

    async def instead() -> str:
        return "KIE has no finished task"

    return await journey.lab.until(ended, instead=instead)


async def _own_task(journey: Journey) -> str:
    """Make a task without us, whose callback nobody expects; returns its id."""
    lab, plain = journey.lab, await journey.lab.plain()
    if journey.kie is None:
        task_id = lab.task_id()
        await lab.door.tell(plain, speech.lyrics(task_id)[0])
        return task_id
    await journey.quick("orphan")
    lab.tasks.append(
        await journey.kie.create(FAMILY, journey.model, journey.input("orphan"), callback_url=plain)
    )
    return lab.tasks[-1]
