"""Each law of the database about jobs made and money moved, by the transactions it keeps apart."""

import asyncio

import asyncpg
import pytest

from contracts.api import TopUp
from contracts.ops import AddBot
from contracts.refusals import Refusal, RefusalName
from contracts.reports import ReportState
from contracts.values import JobState, MoneyState
from job_store.store.creation import Created, Creation
from store_kit import LATER, Store, callback, create


async def test_fault_36_one_wallet_pays_for_exactly_one_of_fifty_concurrent_creates(store: Store):
    await store.topup(100)

    answers = await asyncio.gather(
        *(store.creations.create([Creation("shop", create(price=100))]) for _ in range(50))
    )

    made = [a for (a,) in answers if isinstance(a, Created)]
    refused = [a.code for (a,) in answers if isinstance(a, Refusal)]
    assert len(made) == 1
    assert refused == [RefusalName.INSUFFICIENT_FUNDS] * 49
    assert await store.wallet() == (0, 100)


async def test_what_a_job_does_not_say_is_its_bots(store: Store):
    """Currency and language; what is said stays, and a bot that changes its mind changes no old request."""
    bot = AddBot(slug="shop", currency="XTR", language="ru", not_after=LATER)
    await store.ops.add_bot(bot)
    await store.requests.topup(
        "shop", TopUp(user_id=7, currency="XTR", amount=5, reference="r", not_after=LATER)
    )
    request = create(price=5)

    job_id = await store.made(request)
    told = await store.made(create(language="en", currency="RUB"))

    rows = await store.fetch("SELECT id, currency, language FROM jobs")
    assert {row["id"]: (row["currency"], row["language"]) for row in rows} == {
        job_id: ("XTR", "ru"),
        told: ("RUB", "en"),
    }
    await store.ops.add_bot(AddBot(slug="shop", currency="RUB", language="en", not_after=LATER))
    (again,) = await store.creations.create([Creation("shop", request)])
    assert isinstance(again, Created)
    assert (again.job_id, again.is_new) == (job_id, False)


async def test_fifty_concurrent_creates_with_one_key_make_one_job(store: Store):
    await store.topup(1_000)
    request = create(price=100, key="tap")

    answers = await asyncio.gather(
        *(store.creations.create([Creation("shop", request)]) for _ in range(50))
    )

    ids = {a.job_id for (a,) in answers if isinstance(a, Created)}
    assert len(ids) == 1
    assert sum(a.is_new for (a,) in answers if isinstance(a, Created)) == 1
    assert await store.wallet() == (900, 100)


async def test_fifty_concurrent_creates_of_a_free_job_with_one_key_make_one(store: Store):
    """No wallet is locked for them, so only the key tells them apart."""
    request = create(price=0, key="tap")

    answers = await asyncio.gather(
        *(store.creations.create([Creation("shop", request)]) for _ in range(50))
    )

    assert len({a.job_id for (a,) in answers if isinstance(a, Created)}) == 1
    assert await store.value("SELECT count(*) FROM jobs") == 1


async def test_the_last_money_pays_for_one_job_and_every_tap_is_told_of_it(store: Store):
    """Who waits for the wallet sees the job of the tap before, not only that its money is gone."""
    await store.topup(100)
    request = create(price=100, key="tap")
    answers = await asyncio.gather(
        *(store.creations.create([Creation("shop", request)]) for _ in range(10))
    )
    assert len({a.job_id for (a,) in answers if isinstance(a, Created)}) == 1
    assert not [a for (a,) in answers if isinstance(a, Refusal)]


async def test_the_same_key_in_one_batch_makes_one_job(store: Store):
    request = create(key="tap")
    first, second = await store.creations.create([Creation("shop", request)] * 2)
    assert isinstance(first, Created)
    assert isinstance(second, Created)
    assert (first.job_id, first.is_new, second.is_new) == (second.job_id, True, False)


async def test_the_same_key_with_another_request_is_a_conflict(store: Store):
    job_id = await store.made(create(key="k"))
    (answer,) = await store.creations.create([Creation("shop", create(key="k", chat_id=8))])
    assert isinstance(answer, Refusal)
    assert (answer.code, answer.job_id) == (RefusalName.KEY_CONFLICT, job_id)


async def test_a_payment_reference_credits_once(store: Store):
    await asyncio.gather(*(store.topup(50, reference="receipt-1") for _ in range(10)))
    assert await store.wallet() == (50, 0)
    ask = TopUp(user_id=7, currency="RUB", amount=51, reference="receipt-1", not_after=LATER)
    answer = await store.requests.topup("shop", ask)
    assert isinstance(answer, Refusal)
    assert answer.code is RefusalName.REFERENCE_CONFLICT


async def test_fault_36_a_callback_five_times_in_parallel_charges_and_shows_once(store: Store):
    await store.topup(100)
    job_id = await store.running(create(price=100))

    await asyncio.gather(*(store.report(callback(job_id)) for _ in range(5)))
    await store.show_all()

    assert await store.wallet() == (0, 0)
    assert await store.value("SELECT count(*) FROM ledger WHERE kind = 'capture'") == 1
    assert await store.value("SELECT count(*) FROM parts") == 1
    assert await store.events("succeeded") == 1
    assert await store.events("delivered") == 1


async def test_a_success_after_our_expiry_is_delivered_free(store: Store):
    await store.topup(100)
    job_id = await store.running(create(price=100))
    await store.run("UPDATE jobs SET expires_at = now() - interval '1 s'")
    await store.effects.expire_jobs(10)
    assert (await store.job(job_id)).state is JobState.EXPIRED
    assert await store.wallet() == (100, 0)

    await store.report(callback(job_id))
    await store.show_all()

    job = await store.job(job_id)
    assert (job.state, job.money) == (JobState.DELIVERED, MoneyState.WAIVED)
    assert await store.wallet() == (100, 0)


async def test_a_failure_is_never_undone_by_a_late_success(store: Store):
    await store.topup(100)
    job_id = await store.running(create(price=100))
    await store.report(callback(job_id, state=ReportState.FAILED))
    await store.report(callback(job_id))
    job = await store.job(job_id)
    assert (job.state, job.money) == (JobState.FAILED, MoneyState.RELEASED)


@pytest.mark.parametrize("table", ["ledger", "attempts", "evidence", "carriers"])
async def test_history_is_insert_only(store: Store, table: str):
    await store.topup(10)
    job_id = await store.succeeded(create(price=10))
    await store.show_all()
    assert job_id
    with pytest.raises(asyncpg.RestrictViolationError):
        await store.run(f"DELETE FROM {table}")
    with pytest.raises(asyncpg.RestrictViolationError):
        await store.run(f"UPDATE {table} SET at = now()")


@pytest.mark.parametrize(
    "forbidden",
    [
        "UPDATE jobs SET ended_at = now()",
        "UPDATE jobs SET state = 'delivered'",
        "UPDATE jobs SET price = 5",
        "UPDATE wallets SET held = -1",
        "UPDATE wallets SET balance = -1",
        "UPDATE parts SET state = 'shown'",
        "UPDATE parts SET state = 'refused'",
        "UPDATE effects SET state = 'acting' WHERE state <> 'acting'",
        "UPDATE jobs SET state = 'nonsense'",
        """INSERT INTO ledger (bot, user_id, currency, kind, amount, debit, credit, job_id)
            SELECT bot, user_id, currency, 'hold', 1, 'revenue', 'held', id FROM jobs""",
    ],
)
async def test_the_database_refuses_what_must_never_be(store: Store, forbidden: str):
    await store.topup(10)
    await store.succeeded(create())
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await store.run(forbidden)
