"""Phase 6: the same again is the same, and something else under the same name is refused."""

import asyncio
from typing import Final

from contracts.api import ExpectJob, JobView
from contracts.refusals import RefusalName
from contracts.values import JobState
from sendonce import KeyConflict, ReferenceConflict, TaskConflict, UnknownJob
from sendonce_cli.asking import Refused, is_name
from sendonce_cli.check.atomic import heard
from sendonce_cli.probes import speech
from sendonce_cli.probes.items import Phase, Unmet, claim
from sendonce_cli.probes.tenant import CURRENCY, NOWHERE, Tenant

PRICE: Final = 30

PHASE: Final = Phase[Tenant](
    number=6,
    name="idempotency",
    title="idempotency: the same again is the same",
    todo="pause intake (`sendonce bots pause BOT intake`): a repeated request may act twice",
)


@PHASE.probe(
    "the same key again",
    expects="the same request answers with the job it made; its price is held once",
)
async def same_key(lab: Tenant) -> None:
    user = await lab.paid_in(2 * PRICE)
    given = lab.options({"user_id": user, "price": PRICE})
    first = lab.made(await lab.bot.expect(**given))
    second = await lab.bot.expect(**given)
    held = (await lab.wallet(user)).held
    seen = f"the second is {'another' if second.id != first.id else 'the same'} job, {held} held"
    claim((second.id, second.created, held) == (first.id, False, PRICE), seen)


@PHASE.probe(
    "the same key for something else",
    expects="it is refused with the job that has the key, and that job is as it was",
)
async def other_request(lab: Tenant) -> None:
    given = lab.options({})
    first = lab.made(await lab.bot.expect(**given))
    try:
        given["chat_id"] = NOWHERE + 1
        second = await lab.bot.expect(**given)
    except KeyConflict as conflict:
        claim(conflict.job_id == first.id, f"the refusal names the job {conflict.job_id}")
        claim((await lab.look(first)).version == first.version, "the first job changed")
        return
    raise Unmet(f"answered with the job {second.label}, as if it were the same request")


@PHASE.probe(
    "the same callback again",
    expects="three times the same: one end, one charge, one step of the job",
)
async def same_callback(lab: Tenant) -> None:
    user, task_id = await lab.paid_in(PRICE), lab.task_id()
    job = await lab.expect(user_id=user, price=PRICE)
    body = speech.done("market", task_id).body
    await asyncio.gather(*(lab.calls_back(job, body) for _ in range(3)))
    first = await lab.until_state(job, JobState.SUCCEEDED, JobState.FAILED)
    # What differs in no more than a remark is another report of the same fact.
    await lab.calls_back(job, {**body, "msg": "once more"})
    await heard(lab, job, 2)

    last, ledger = await lab.look(job), await lab.ledger(job)
    seen = f"{last.state}, ledger {ledger}, {last.version - first.version} steps later"
    claim((ledger, last.version) == (["hold", "capture"], first.version), seen)
    claim(len(last.parts) == 1, f"{len(last.parts)} results of one")


@PHASE.probe(
    "the same payment again",
    expects="a reference credits once; with another amount it is refused",
)
async def same_payment(lab: Tenant) -> None:
    user, reference = lab.user(), lab.key()
    for _ in range(2):
        await lab.bot.topup(user, currency=CURRENCY, amount=PRICE, reference=reference)
    balance = (await lab.wallet(user)).balance
    claim(balance == PRICE, f"{balance} of one payment of {PRICE}")
    try:
        await lab.bot.topup(user, currency=CURRENCY, amount=PRICE + 1, reference=reference)
    except ReferenceConflict:
        return
    raise Unmet("one reference was credited with two amounts")


@PHASE.probe(
    "the same task again",
    expects="attaching it again changes nothing; to another job it is refused",
)
async def same_task(lab: Tenant) -> None:
    job, other, task_id = await lab.expect(), await lab.expect(), lab.task_id()
    await lab.bot.attach(job.id, task_id)
    first = await lab.look(job)
    await lab.bot.attach(job.id, task_id)
    again = await lab.look(job)
    seen = f"its tasks are {again.task_ids}, {again.version - first.version} steps later"
    claim((again.version, again.task_ids) == (first.version, (task_id,)), seen)
    try:
        await lab.bot.attach(other.id, task_id)
    except TaskConflict:
        return
    raise Unmet("one task belongs to two jobs")


@PHASE.probe(
    "a request that comes late",
    expects="after its deadline a request is refused and changes nothing",
)
async def late(lab: Tenant) -> None:
    given = lab.options({})
    try:
        await lab.desk.late(lab.bot.bot, "jobs.expect", ExpectJob, JobView, **given)
    except Refused as refused:
        claim(is_name(refused, RefusalName.DEADLINE_PASSED), f"refused with: {refused}")
    else:
        raise Unmet("it was answered as if it had come in time")
    try:
        made = await lab.bot.get(key=given["key"])
    except UnknownJob:
        return
    raise Unmet(f"it made the job {made.label}")
