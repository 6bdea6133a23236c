"""Limits on what is asked for, on real Postgres: shared by replicas, decided with the creation, refused typed."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.metrics import REGISTRY
from chassis.settings import KNOWN_NAMES
from contracts.refusals import LimitHit, Refusal, RefusalName
from job_store.domain.intake import Allowance, Quota
from job_store.store.counting import LIMITS
from job_store.store.creation import Created, Creation
from store_hands import second_store
from store_kit import Store, callback, create, deliver, expect


def limit(store: Store, **quota: Allowance) -> None:
    """Run this store with limits."""
    store.units.rules = replace(store.rules, quota=Quota(**quota))


async def asked(store: Store, *requests: object, bot: str = "shop") -> list[Created | Refusal]:
    return await store.creations.create([Creation(bot, one) for one in requests])  # type: ignore[arg-type]


def hits(answers: list[Created | Refusal]) -> list[LimitHit]:
    refused = [one for one in answers if isinstance(one, Refusal)]
    assert all(one.code is RefusalName.PAUSED and one.retryable for one in refused), refused
    assert all(one.retry_after and f"in {one.retry_after:.0f} s" in one.hint for one in refused)
    return [one.limit for one in refused if one.limit is not None]


@pytest.mark.postgres
@pytest.mark.parametrize("whose", ["user", "bot"])
async def test_of_twenty_at_once_at_two_replicas_as_many_are_made_as_may_be_open(
    store: Store, database_url: str, whose: str
):
    """Each replica counts what the other has committed, never what it had before."""
    allowed = {whose: Allowance(open_jobs=3)}
    async with second_store(database_url) as second:
        limit(store, **allowed)
        limit(second, **allowed)
        user = {"user_id": 7} if whose == "user" else {}

        answers = await asyncio.gather(
            *(asked(kit, create(**user)) for kit in (store, second) for _ in range(10))
        )

    assert sum(isinstance(one, Created) for (one,) in answers) == 3
    assert len(hits([one for (one,) in answers])) == 17
    assert await store.value("SELECT count(*) FROM jobs") == 3


async def test_a_batch_counts_its_own_and_a_place_is_free_when_a_job_ends(store: Store):
    limit(store, user=Allowance(open_jobs=2))
    first, second, third = await asked(store, create(), create(), create())
    assert isinstance(first, Created)
    assert hits([second, third]) == [LimitHit(whose="user", what="open_jobs", allowed=2)]

    await store.report(callback(first.job_id))
    (again, other) = await asked(store, create(), create(user_id=8, chat_id=8))

    assert isinstance(again, Created)
    assert isinstance(other, Created)


async def test_a_key_that_is_known_is_answered_whatever_the_limit(store: Store):
    limit(store, user=Allowance(open_jobs=1, jobs_per_minute=1))
    request = create()
    await asked(store, request)

    again, beyond = await asked(store, request, create())

    assert isinstance(again, Created)
    assert not again.is_new
    assert len(hits([beyond])) == 1


async def test_only_paid_jobs_count_as_holds_and_nothing_is_held_for_who_is_refused(store: Store):
    limit(store, user=Allowance(open_holds=1))
    await store.topup(100)

    paid, free, more = await asked(store, create(price=10), create(), create(price=10))

    assert isinstance(paid, Created)
    assert isinstance(free, Created)
    assert hits([more]) == [LimitHit(whose="user", what="open_holds", allowed=1)]
    assert await store.wallet() == (90, 10)


async def test_who_cannot_pay_is_told_so_and_takes_nobodys_place(store: Store):
    limit(store, bot=Allowance(open_jobs=1))

    poor, next_one = await asked(store, create(price=10), create())

    assert isinstance(poor, Refusal)
    assert poor.code is RefusalName.INSUFFICIENT_FUNDS
    assert isinstance(next_one, Created)


@pytest.mark.postgres
async def test_the_rate_is_one_for_all_replicas_and_the_wait_is_right(
    store: Store, database_url: str
):
    rate = {"user": Allowance(jobs_per_minute=4)}
    async with second_store(database_url) as second:
        limit(store, **rate)
        limit(second, **rate)
        (one,), (two,), (three,) = [await asked(kit, create()) for kit in (store, second, store)]
    assert isinstance(one, Created)
    assert isinstance(two, Created)
    assert hits([three]) == [LimitHit(whose="user", what="jobs_per_minute", allowed=4)]
    assert isinstance(three, Refusal)
    assert three.retry_after is not None
    assert 1 <= three.retry_after <= 15

    waited = timedelta(seconds=three.retry_after)
    await store.run("UPDATE pacing SET tat = tat - $1::interval", waited)
    assert isinstance((await asked(store, create()))[0], Created)


async def test_what_exists_already_is_never_one_too_many(store: Store):
    """An expected job asks for a task like a created one; a finished result only wants to be shown."""
    limit(store, user=Allowance(open_jobs=1, jobs_per_minute=1))

    expected, delivered, created = await asked(store, expect(), deliver(), create())

    assert isinstance(expected, Created)
    assert isinstance(delivered, Created)
    assert len(hits([created])) == 1


async def test_without_limits_nothing_is_locked_and_rows_of_limits_are_forgotten(store: Store):
    await asked(store, create())
    assert await store.value("SELECT count(*) FROM pacing") == 0

    limit(store, user=Allowance(open_jobs=9), bot=Allowance(jobs_per_minute=600))
    await asked(store, create(), create(user_id=8))
    keys = [row["key"] for row in await store.fetch("SELECT key FROM pacing ORDER BY key")]
    assert keys == ["intake:shop", "user:shop:7", "user:shop:8"]

    await store.run("UPDATE pacing SET tat = now() - interval '2 hours'")
    await store.effects.forget_buckets()
    assert await store.value("SELECT count(*) FROM pacing") == 0


def refusals(name: str) -> float:
    labels = {"bot": "shop", "limit": name}
    return REGISTRY.get_sample_value("sendonce_limit_refusals_total", labels) or 0.0


async def test_refusals_are_counted_by_the_setting_that_refused(store: Store):
    limit(store, user=Allowance(open_jobs=1), bot=Allowance(open_jobs=2))
    before = refusals("user_open_jobs"), refusals("bot_open_jobs")

    await asked(store, create(), create(), create(user_id=8), create(user_id=9), create(price=10))

    assert refusals("user_open_jobs") - before[0] == 1
    assert refusals("bot_open_jobs") - before[1] == 1


def test_a_limit_has_the_name_of_its_setting_where_it_is_counted():
    assert {limit.upper() for limit in LIMITS} <= KNOWN_NAMES


async def test_a_bot_nobody_knows_leaves_no_row(store: Store):
    limit(store, user=Allowance(open_jobs=1), bot=Allowance(open_jobs=1))

    (answer,) = await asked(store, create(), bot="nobody")

    assert isinstance(answer, Refusal)
    assert answer.code is RefusalName.UNKNOWN_BOT
    assert await store.value("SELECT count(*) FROM pacing") == 0
