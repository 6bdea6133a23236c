"""The first system's defects in money, schema and checks, each by its number; a test fails on the defect."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest
from pydantic import ValidationError

from bot_that_calls_kie import create, expected
from contracts.api import TopUp
from contracts.values import JobState, MoneyState
from deployment import Deployment
from job_store.migrate import migrate_database
from sendonce import InsufficientFunds, SendOnceError
from testkit.kie import Plan

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def topped_up(deployment: Deployment, amount: int, user_id: int = 7) -> None:
    await deployment.sendonce.topup(
        user_id=user_id, currency="RUB", amount=amount, reference=str(uuid4())
    )


async def wallet(deployment: Deployment, user_id: int = 7) -> tuple[int, int]:
    found = await deployment.sendonce.wallet(user_id=user_id, currency="RUB")
    return found.balance, found.held


async def test_defect_20_a_clean_database_takes_its_first_job(deployment: Deployment):
    (done,) = await deployment.until_final(await create(deployment))
    assert done.state is JobState.DELIVERED


async def test_defects_21_and_22_one_wallet_never_pays_twice(deployment: Deployment):
    """Five at once, each the price of the whole wallet: one is taken, none goes below zero."""
    await topped_up(deployment, 30)

    answers = await asyncio.gather(
        *(create(deployment, f"{n}", price=30) for n in range(5)), return_exceptions=True
    )

    refused = [answer for answer in answers if isinstance(answer, InsufficientFunds)]
    taken = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert (len(taken), len(refused)) == (1, 4)
    (done,) = await deployment.until_final(*taken)
    assert done.money is MoneyState.CAPTURED
    assert await wallet(deployment) == (0, 0)


async def test_defect_23_one_key_makes_one_job_and_one_task(deployment: Deployment):
    answers = await asyncio.gather(*(create(deployment, key="tap") for _ in range(5)))

    assert len({answer.id for answer in answers}) == 1
    (done,) = await deployment.until_final(answers[0])
    again = await create(deployment, key="tap")
    assert (again.id, again.task_ids) == (done.id, done.task_ids)
    assert deployment.kie.counts()["tasks"] == 1


async def test_defect_24_one_payment_credits_once(deployment: Deployment):
    for _ in range(2):
        await deployment.sendonce.topup(user_id=7, currency="RUB", amount=50, reference="pay-1")
    assert await wallet(deployment) == (50, 0)
    with pytest.raises(SendOnceError):
        await deployment.sendonce.topup(user_id=7, currency="RUB", amount=60, reference="pay-1")
    assert await wallet(deployment) == (50, 0)


async def test_defect_25_money_follows_the_job(deployment: Deployment):
    """A hold whose callback never comes is given back; the late result is free, and said once."""
    await topped_up(deployment, 100)
    job, task_id = await expected(deployment, price=100)
    assert await wallet(deployment) == (0, 100)

    connection = await asyncpg.connect(deployment.database_url)
    try:
        await connection.execute(
            "UPDATE sendonce.jobs SET expires_at = now() - interval '1 second'"
        )
    finally:
        await connection.close()
    expired = await deployment.until_state(job, JobState.EXPIRED)
    assert (expired.money, await wallet(deployment)) == (MoneyState.RELEASED, (100, 0))

    deployment.kie.finish(task_id)
    late = await deployment.until_state(job, JobState.DELIVERED)
    assert (late.money, await wallet(deployment)) == (MoneyState.WAIVED, (100, 0))
    assert deployment.showings(late) == [1]


async def test_defect_25_a_failure_gives_the_hold_back(deployment: Deployment):
    await topped_up(deployment, 100)
    deployment.kie.plan_next(Plan(fails=True))
    (failed,) = await deployment.until_final(await create(deployment, price=100))
    assert (failed.money, await wallet(deployment)) == (MoneyState.RELEASED, (100, 0))


@pytest.mark.parametrize("amount", [0.5, "50", -1, True, 10**13])
def test_defect_26_money_is_a_whole_number_of_minor_units(amount: object):
    fields = {"user_id": 7, "currency": "RUB", "amount": amount, "reference": "r"}
    with pytest.raises(ValidationError):
        TopUp.model_validate(fields | {"not_after": "2030-01-01T00:00:00Z"})


async def test_defect_26_there_is_one_balance_and_the_ledger_explains_it(deployment: Deployment):
    await topped_up(deployment, 100)
    (done,) = await deployment.until_final(await create(deployment, price=40))
    assert done.money is MoneyState.CAPTURED

    statement = await deployment.sendonce.statement(user_id=7, currency="RUB")

    moved = {line.kind: line.amount for line in statement.lines}
    assert moved == {"topup": 100, "hold": 40, "capture": 40}
    assert (statement.wallet.balance, statement.wallet.held) == (60, 0)


async def test_defect_27_a_second_start_keeps_every_row(deployment: Deployment):
    await topped_up(deployment, 100)
    (done,) = await deployment.until_final(await create(deployment))

    await migrate_database(deployment.database_url)

    assert await wallet(deployment) == (100, 0)
    assert (await deployment.sendonce.get(job_id=done.id)).state is JobState.DELIVERED


async def test_defect_28_a_failure_without_links_of_an_unknown_user_is_stored(
    deployment: Deployment,
):
    deployment.kie.plan_next(Plan(fails=True, fail_message="no links here"))
    (failed,) = await deployment.until_final(await create(deployment, user_id=28_000, chat_id=28))
    assert (failed.state, failed.error) == (JobState.FAILED, "no links here")


BROKEN_RULES = {
    "ledger_unbalanced": "UPDATE sendonce.wallets SET balance = balance + 1",
    "outbox_stuck": (
        "INSERT INTO sendonce.outbox (subject, msg_id, payload, leased_until, at)"
        " VALUES ('jobs.created.default', 'stuck', '', now() + interval '1 h', now() - interval '1 h')"
    ),
}


@pytest.mark.parametrize("check", BROKEN_RULES)
async def test_defect_29_a_check_looks_at_behaviour(deployment: Deployment, check: str):
    """Green while all is well, red as soon as a row says otherwise."""
    await topped_up(deployment, 100)
    await expected(deployment, price=10)
    before = await deployment.ops("doctor")
    assert [found for found in before["findings"] if not found["ok"]] == []

    connection = await asyncpg.connect(deployment.database_url)
    try:
        await connection.execute(BROKEN_RULES[check])
    finally:
        await connection.close()

    after = await deployment.ops("doctor")
    assert [found["check"] for found in after["findings"] if not found["ok"]] == [check]
