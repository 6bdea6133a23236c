"""Phase 2: what happens to a job happens whole, and once, whoever comes at the same moment."""

import asyncio
from typing import Final

from contracts.api import JobView
from contracts.values import JobState, MoneyState
from sendonce import InsufficientFunds, TooLate
from sendonce_cli.probes import speech
from sendonce_cli.probes.items import Phase, Unmet, claim
from sendonce_cli.probes.tenant import ENDED, Tenant

AT_ONCE: Final = 6
PRICE: Final = 30
# Which money an end may have, and no other.
PAID: Final = {JobState.SUCCEEDED: MoneyState.CAPTURED, JobState.FAILED: MoneyState.RELEASED}

PHASE: Final = Phase[Tenant](
    number=2,
    name="atomic",
    title="atomic: create, hold, update by a callback",
    todo="pause intake (`sendonce bots pause BOT intake`): the judge lets two things happen that exclude each other",
)


@PHASE.probe(
    "create at once with one key",
    expects=f"{AT_ONCE} requests at once make one job, and all are answered with it",
)
async def one_key(lab: Tenant) -> None:
    given = lab.options({})
    made = await asyncio.gather(*(lab.bot.expect(**given) for _ in range(AT_ONCE)))
    lab.jobs += made[:1]

    jobs, new = {job.id for job in made}, sum(job.created for job in made)
    claim((len(jobs), new) == (1, 1), f"{len(jobs)} jobs, {new} times said to be new")


@PHASE.probe(
    "hold at once from one balance",
    expects=f"of {AT_ONCE} jobs for all the money there is, one is made and the others lack the money",
)
async def one_balance(lab: Tenant) -> None:
    user = await lab.paid_in(PRICE)
    tried = await asyncio.gather(
        *(lab.expect(user_id=user, price=PRICE) for _ in range(AT_ONCE)), return_exceptions=True
    )

    made = [job for job in tried if isinstance(job, JobView)]
    short = [one for one in tried if isinstance(one, InsufficientFunds)]
    wallet = await lab.wallet(user)
    seen = f"{len(made)} made, {len(short)} refused for money, {wallet.held} held"
    for other in tried:
        if isinstance(other, BaseException) and not isinstance(other, InsufficientFunds):
            raise Unmet(f"{seen}; {other}") from other
    claim((len(made), len(short), wallet.held) == (1, AT_ONCE - 1, PRICE), seen)


@PHASE.probe(
    "update from a callback",
    expects="a callback ends the job: its result, its task and its money in one step",
)
async def from_callback(lab: Tenant) -> None:
    user, task_id = await lab.paid_in(PRICE), lab.task_id()
    job = await lab.expect(user_id=user, price=PRICE)
    spoken = speech.done("market", task_id)
    await lab.calls_back(job, spoken.body)

    done = await lab.until_state(job, JobState.SUCCEEDED, JobState.FAILED)
    links = tuple(part.url for part in done.parts)
    seen = (done.state, done.money, done.task_ids, links)
    wanted = (JobState.SUCCEEDED, MoneyState.CAPTURED, (task_id,), spoken.links)
    claim(seen == wanted, f"the job is {done.state}, money {done.money}, results {links}")


@PHASE.probe(
    "two ends at once",
    expects="of a success and a failure that come together one counts, and the money follows it",
)
async def two_ends(lab: Tenant) -> None:
    user, task_id = await lab.paid_in(PRICE), lab.task_id()
    job = await lab.expect(user_id=user, price=PRICE)
    both = (speech.done("market", task_id).body, speech.failed("market", task_id).body)
    await asyncio.gather(*(lab.calls_back(job, body) for body in both * 2))

    end = await lab.until_state(job, JobState.SUCCEEDED, *ENDED)
    events = await _ends(lab, job)
    seen = f"the job is {end.state}, money {end.money}, told as {events}"
    claim(events == [str(end.state)] and end.money is PAID.get(end.state), seen)


@PHASE.probe(
    "no way back",
    expects="what comes after the end changes nothing: neither progress, nor failure, nor another result",
)
async def no_way_back(lab: Tenant) -> None:
    task_id = lab.task_id()
    job = await lab.expect()
    await lab.calls_back(job, speech.done("market", task_id).body)
    end = await lab.until_state(job, JobState.SUCCEEDED)

    for late in (speech.failed("market", task_id).body, speech.running(task_id)):
        await lab.calls_back(job, late)
    await heard(lab, end, 3)
    now = await lab.look(job)
    claim((now.state, now.version) == (end.state, end.version), f"the job became {now.state}")


@PHASE.probe(
    "cancel and its hold",
    expects="a job that is cancelled gives its hold back, once; one that is under way is not cancelled",
)
async def cancelled(lab: Tenant) -> None:
    user = await lab.paid_in(PRICE)
    async with lab.paused("submissions"):
        given = lab.options({"user_id": user, "price": PRICE})
        job = lab.made(await lab.bot.create(model="check/none", input={}, **given))
        await asyncio.gather(lab.bot.cancel(job.id), lab.bot.cancel(job.id))
    wallet, ledger = await lab.wallet(user), await lab.ledger(job)
    seen = f"{wallet.balance} free and {wallet.held} held, ledger {ledger}"
    claim((wallet.balance, wallet.held, ledger) == (PRICE, 0, ["hold", "release"]), seen)

    under_way = await lab.expect()
    await lab.bot.attach(under_way.id, lab.task_id())
    try:
        await lab.bot.cancel(under_way.id)
    except TooLate:
        return
    raise Unmet("a job whose task exists was cancelled")


async def heard(lab: Tenant, job: JobView, reports: int) -> None:
    """Wait until so many callbacks of a job were applied."""

    async def applied() -> bool:
        story = await lab.story(job)
        return sum(line.what == "report callback" for line in story.timeline) >= reports

    async def instead() -> str:
        return "a callback that was answered 200 is not in the job's story"

    await lab.until(applied, instead=instead)


async def _ends(lab: Tenant, job: JobView) -> list[str]:
    ends = {f"event {state}": str(state) for state in (JobState.SUCCEEDED, *ENDED)}
    return [ends[line.what] for line in (await lab.story(job)).timeline if line.what in ends]
