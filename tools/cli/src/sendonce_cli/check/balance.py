"""Phase 7: money from its top-up to its end, and the books that must agree with it."""

from typing import Final

from contracts.ops import AskDoctor, DoctorView
from contracts.repairs import RefundJobs, RepairsView
from contracts.values import JobState, MoneyState
from sendonce import InsufficientFunds
from sendonce_cli.probes import speech
from sendonce_cli.probes.items import Phase, Unmet, claim
from sendonce_cli.probes.tenant import CURRENCY, Tenant

PAID: Final = 100
PRICE: Final = 30
SIGNS: Final = {"topup": 1, "hold": -1, "release": 1, "refund": 1, "capture": 0}
BOOKS: Final = ("ledger_unbalanced", "holds_without_open_job", "money_without_entry")

PHASE: Final = Phase[Tenant](
    number=7,
    name="balance",
    title="balance: hold, capture, release, refund",
    todo="pause intake (`sendonce bots pause BOT intake`) and run `sendonce doctor`: money goes wrong",
)


@PHASE.probe("top-up", expects="what is paid in is free to spend, and stands in the ledger")
async def topup(lab: Tenant) -> None:
    user = await lab.paid_in(PAID)
    view = await lab.bot.statement(user, CURRENCY)
    lines = [(line.kind, line.amount) for line in view.lines]
    claim(view.wallet.balance == PAID, f"{view.wallet.balance} free of {PAID} paid in")
    claim(lines == [("topup", PAID)], f"the ledger says {lines}")


@PHASE.probe(
    "hold", expects="the price is set aside when the job is made, and never more than there is"
)
async def hold(lab: Tenant) -> None:
    user = await lab.paid_in(PAID)
    job = await lab.expect(user_id=user, price=PRICE)
    wallet, ledger = await lab.wallet(user), await lab.ledger(job)
    seen = f"{wallet.balance} free, {wallet.held} held, money {job.money}, ledger {ledger}"
    claim((wallet.balance, wallet.held) == (PAID - PRICE, PRICE), seen)
    claim((job.money, ledger) == (MoneyState.HELD, ["hold"]), seen)
    try:
        await lab.expect(user_id=user, price=PAID)
    except InsufficientFunds:
        claim((await lab.wallet(user)).held == PRICE, "a refused job left a hold behind")
        return
    raise Unmet(f"a job for {PAID} was made with {PAID - PRICE} free")


@PHASE.probe("capture", expects="a success takes what was held, once")
async def capture(lab: Tenant) -> None:
    user, task_id = await lab.paid_in(PAID), lab.task_id()
    job = await lab.expect(user_id=user, price=PRICE)
    await lab.calls_back(job, speech.done("market", task_id).body)
    done = await lab.until_state(job, JobState.SUCCEEDED)
    wallet, ledger = await lab.wallet(user), await lab.ledger(job)
    seen = f"{wallet.balance} free, {wallet.held} held, money {done.money}, ledger {ledger}"
    claim((wallet.balance, wallet.held) == (PAID - PRICE, 0), seen)
    claim((done.money, ledger) == (MoneyState.CAPTURED, ["hold", "capture"]), seen)


@PHASE.probe("release", expects="a failure gives back what was held")
async def release(lab: Tenant) -> None:
    user, task_id = await lab.paid_in(PAID), lab.task_id()
    job = await lab.expect(user_id=user, price=PRICE)
    await lab.calls_back(job, speech.failed("market", task_id).body)
    failed = await lab.until_state(job, JobState.FAILED)
    wallet, ledger = await lab.wallet(user), await lab.ledger(job)
    seen = f"{wallet.balance} free, {wallet.held} held, money {failed.money}, ledger {ledger}"
    claim((wallet.balance, wallet.held) == (PAID, 0), seen)
    claim((failed.money, ledger) == (MoneyState.RELEASED, ["hold", "release"]), seen)


@PHASE.probe("refund", expects="what was captured is given back by hand, once, whoever asks again")
async def refund(lab: Tenant) -> None:
    user, task_id = await lab.paid_in(PAID), lab.task_id()
    job = await lab.expect(user_id=user, price=PRICE)
    await lab.calls_back(job, speech.done("market", task_id).body)
    await lab.until_state(job, JobState.SUCCEEDED)
    for _ in range(2):
        told = await lab.desk.ops(
            "jobs.refund", RefundJobs, RepairsView, job_ids=(job.id,), **lab.by
        )
        claim(told.repaired[0].did, f"refused: {told.repaired[0].reason}")
    wallet, ledger = await lab.wallet(user), await lab.ledger(job)
    seen = f"{wallet.balance} free, {wallet.held} held, ledger {ledger}"
    claim((wallet.balance, ledger) == (PAID, ["hold", "capture", "refund"]), seen)


@PHASE.probe("a price of 0", expects="it needs no wallet and writes no ledger")
async def gratis(lab: Tenant) -> None:
    job = await lab.expect()
    ledger = await lab.ledger(job)
    claim((job.money, ledger) == (MoneyState.NONE, []), f"money {job.money}, ledger {ledger}")


@PHASE.probe("ledger", expects="the lines of a wallet add up to what it says is free")
async def ledger(lab: Tenant) -> None:
    user = await lab.paid_in(PAID)
    won, lost = lab.task_id(), lab.task_id()
    for task_id, spoken in (
        (won, speech.done("market", won)),
        (lost, speech.failed("market", lost)),
    ):
        job = await lab.expect(user_id=user, price=PRICE)
        await lab.bot.attach(job.id, task_id)
        await lab.calls_back(job, spoken.body)
        await lab.until_state(job, JobState.SUCCEEDED, JobState.FAILED)
    view = await lab.bot.statement(user, CURRENCY)
    lines = sorted(line.kind for line in view.lines)
    total = sum(SIGNS[line.kind] * line.amount for line in view.lines)
    seen = f"{view.wallet.balance} free, {total} by its lines {lines}"
    claim(total == view.wallet.balance == PAID - PRICE, seen)
    claim(lines == ["capture", "hold", "hold", "release", "topup"], seen)


@PHASE.probe(
    "books of the whole deployment",
    expects="every wallet is the sum of its transfers, every hold belongs to an open job",
    todo="`sendonce doctor` names the wallets; put each right before more money moves",
)
async def books(lab: Tenant) -> None:
    view = await lab.desk.ops("doctor", AskDoctor, DoctorView)
    broken = [one for one in view.findings if one.check in BOOKS and not one.ok]
    claim(not broken, "; ".join(f"{one.check}: {one.count} ({one.detail})" for one in broken))
    missing = set(BOOKS) - {one.check for one in view.findings}
    claim(not missing, f"the doctor looks no more at {', '.join(sorted(missing))}")
