"""One behaviour suite for the double and the real thing: what a bot developer's tests may rely on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from client_worlds import DOOMED, HELD, MODEL, World, played, real
from contracts.api import JobView
from contracts.values import Cause, JobState, MoneyState, PartState
from deployment import Deployment, deployed
from job_store.migrate import migrate_database
from sendonce import (
    FileCursor,
    InsufficientFunds,
    InvalidRequest,
    JobEvent,
    KeyConflict,
    MediaKind,
    NotConnected,
    Paused,
    ReferenceConflict,
    ReportedMedia,
    SendOnce,
    TaskConflict,
    TooLate,
    UnknownJob,
)
from testkit.servers.databases import TemplateDatabases
from testkit.servers.sources import ServerSources

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.e2e,
    pytest.mark.timeout(120),
]
module = pytest_asyncio.fixture(scope="module", loop_scope="module")
WORDS = ReportedMedia(kind=MediaKind.TEXT, text="one song, ready")
PATIENCE = 20.0


@module
async def system(
    template_databases: TemplateDatabases,
    server_sources: ServerSources,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Callable[[], Awaitable[Deployment]]]:
    """Starts the system when the first test wants the real thing, and ends it with the module."""
    running: list[Deployment] = []
    async with AsyncExitStack() as stack:

        async def started() -> Deployment:
            if not running:
                database_url = await stack.enter_async_context(template_databases.clone(migrate))
                nats = await stack.enter_async_context(
                    server_sources.empty_nats(tmp_path_factory.mktemp("nats"))
                )
                running.append(
                    await stack.enter_async_context(
                        deployed(database_url=database_url, nats_url=nats.url)
                    )
                )
            return running[0]

        yield started


@pytest_asyncio.fixture(params=["double", "real"], loop_scope="module")
async def world(
    request: pytest.FixtureRequest, system: Callable[[], Awaitable[Deployment]]
) -> AsyncIterator[World]:
    async with played() if request.param == "double" else real(await system()) as chosen:
        yield chosen


async def migrate(url: str) -> None:
    await migrate_database(url)


async def create(world: World, key: str = "k", prompt: str = HELD, **options: Any) -> JobView:
    asked: dict[str, Any] = {
        "key": key,
        "chat_id": world.person,
        "user_id": world.person,
        "model": MODEL,
        "input": {"prompt": prompt},
        **options,
    }
    job: JobView = await world.sendonce.create(**asked)
    return job


async def pay(world: World, amount: int, reference: str = "payment-1") -> None:
    await world.sendonce.topup(world.person, currency="RUB", amount=amount, reference=reference)


async def money(world: World) -> tuple[int, int]:
    wallet = await world.sendonce.wallet(world.person, "RUB")
    return wallet.balance, wallet.held


async def told(sendonce: SendOnce, count: int, **where: Any) -> list[JobEvent]:
    """The next so many events."""
    events = sendonce.events(**where)
    async with asyncio.timeout(PATIENCE):
        heard = [await anext(events) for _ in range(count)]
    await events.aclose()
    return heard


async def test_a_job_goes_from_the_request_to_the_chat(world: World) -> None:
    await pay(world, 5_000)

    job = await create(world, price=1_990)
    assert (job.created, job.money, await money(world)) == (True, MoneyState.HELD, (3_010, 1_990))
    done = await world.succeed(job)

    assert (done.state, done.money, done.cause) == (
        JobState.DELIVERED,
        MoneyState.CAPTURED,
        Cause.PROVIDER,
    )
    (part,) = done.parts
    assert (part.state, part.kind) == (PartState.SHOWN, MediaKind.IMAGE)
    assert part.message_id
    assert part.url
    assert done.ended_at
    assert await money(world) == (3_010, 0)


async def test_the_same_key_is_the_same_job(world: World) -> None:
    await pay(world, 5_000)
    first = await create(world, price=1_990)
    again = await create(world, price=1_990, status="none")

    assert (again.id, again.created) == (first.id, False)
    assert await money(world) == (3_010, 1_990)


async def test_the_same_key_with_another_request_is_a_conflict(world: World) -> None:
    first = await create(world)

    with pytest.raises(KeyConflict) as refused:
        await create(world, prompt="something else")

    assert refused.value.job_id == first.id


async def test_who_cannot_pay_gets_no_job(world: World) -> None:
    await pay(world, 100)

    with pytest.raises(InsufficientFunds, match="the balance is 100 and the price 1990 RUB"):
        await create(world, price=1_990)

    assert await money(world) == (100, 0)
    with pytest.raises(UnknownJob):
        await world.sendonce.get(key="k")


async def test_a_paused_account_takes_no_new_work_and_holds_nothing(world: World) -> None:
    await pay(world, 5_000)
    await world.pause()

    with pytest.raises(Paused):
        await create(world, price=1_990)

    assert await money(world) == (5_000, 0)
    shown = await world.sendonce.deliver(
        key="d", chat_id=world.person, user_id=world.person, media=[WORDS]
    )
    assert shown.created, "what needs no KIE goes on"


async def test_a_failed_generation_gives_the_money_back(world: World) -> None:
    await pay(world, 5_000)
    job = await create(world, prompt=DOOMED, price=1_990)

    failed = await world.fail(job)

    assert (failed.state, failed.money, failed.cause) == (
        JobState.FAILED,
        MoneyState.RELEASED,
        Cause.PROVIDER,
    )
    assert failed.failure
    assert failed.error
    assert await money(world) == (5_000, 0)


async def test_a_job_is_cancelled_while_nobody_has_asked_kie(world: World) -> None:
    await pay(world, 5_000)
    await world.hold_submissions()
    job = await create(world, price=1_990)

    cancelled = await world.sendonce.cancel(job.id)
    again = await world.sendonce.cancel(key="k")

    assert (cancelled.state, cancelled.money) == (JobState.CANCELLED, MoneyState.RELEASED)
    assert again.state is JobState.CANCELLED
    assert await money(world) == (5_000, 0)


async def test_a_running_job_cannot_be_cancelled(world: World) -> None:
    job = await world.until(await create(world), JobState.RUNNING)

    with pytest.raises(TooLate) as refused:
        await world.sendonce.cancel(job.id)

    assert refused.value.job_id == job.id
    with pytest.raises(UnknownJob):
        await world.sendonce.cancel(key="nobody's")


async def test_a_bots_own_task_is_shown_all_the_same(world: World) -> None:
    where: dict[str, Any] = {"chat_id": world.person, "user_id": world.person}
    job = await world.sendonce.expect(key="own", **where)
    assert job.callback_url
    task_id = await world.own_task(job.callback_url)

    attached = await world.sendonce.attach(job.id, task_id)
    again = await world.sendonce.attach(str(job.id), task_id)
    done = await world.succeed(job)

    assert attached.state is JobState.RUNNING
    assert again.task_ids == (task_id,)
    assert done.state is JobState.DELIVERED
    assert [found.id for found in await world.sendonce.find_by_task_id(task_id)] == [job.id]
    assert await world.sendonce.find_by_task_id("nobody's") == ()


async def test_a_task_has_one_job(world: World) -> None:
    where: dict[str, Any] = {"chat_id": world.person, "user_id": world.person}
    one = await world.sendonce.expect(key="one", **where)
    other = await world.sendonce.expect(key="other", **where)
    made_by_us = await create(world)
    task_id = await world.own_task(None)
    await world.sendonce.attach(one.id, task_id)

    with pytest.raises(TaskConflict):
        await world.sendonce.attach(other.id, task_id)
    with pytest.raises(TaskConflict):
        await world.sendonce.attach(made_by_us.id, "another")


async def test_a_finished_result_is_charged_and_shown(world: World) -> None:
    await pay(world, 5_000)
    where: dict[str, Any] = {"chat_id": world.person, "user_id": world.person}

    job = await world.sendonce.deliver(key="d", media=[WORDS], price=1_990, **where)
    done = await world.until(job, JobState.DELIVERED)

    assert (job.money, await money(world)) == (MoneyState.CAPTURED, (3_010, 0))
    assert [(part.kind, part.text) for part in done.parts] == [(MediaKind.TEXT, WORDS.text)]
    with pytest.raises(InvalidRequest, match="neither a link nor a text"):
        await world.sendonce.deliver(
            key="blank", media=[ReportedMedia(kind=MediaKind.TEXT, text=" ")], **where
        )


async def test_a_bot_may_show_the_result_itself(world: World) -> None:
    done = await world.succeed(await create(world, deliver=False))

    assert done.state is JobState.SUCCEEDED
    assert done.ended_at
    assert [part.state for part in done.parts] == [PartState.PENDING]
    assert (await world.sendonce.undelivered()).jobs == ()


async def test_a_result_waits_for_a_user_who_blocked_the_bot(world: World) -> None:
    await world.block(world.person)
    parked = await world.succeed(await create(world))
    assert [part.state for part in parked.parts] == [PartState.PARKED]
    waiting = await world.sendonce.undelivered()
    rest = await world.sendonce.undelivered(after=waiting.next)

    await world.unblock(world.person)
    due = await world.sendonce.returned(world.person)
    done = await world.until(parked, JobState.DELIVERED)

    assert [job.id for job in waiting.jobs] == [parked.id]
    assert rest.jobs == ()
    assert due == 1
    assert done.parts[0].state is PartState.SHOWN
    assert await world.sendonce.returned(world.person) == 0


async def test_a_payment_is_credited_once(world: World) -> None:
    await pay(world, 5_000, "charge")
    await pay(world, 5_000, "charge")

    with pytest.raises(ReferenceConflict):
        await pay(world, 6_000, "charge")

    assert await money(world) == (5_000, 0)
    stars = await world.sendonce.wallet(world.person, "XTR")
    assert (stars.balance, stars.held) == (0, 0)


async def test_the_statement_tells_every_move_the_newest_first(world: World) -> None:
    await pay(world, 5_000)
    await world.succeed(await create(world, price=1_990))
    job = await create(world, "k2", prompt=DOOMED, price=500)
    await world.fail(job)

    statement = await world.sendonce.statement(world.person, "RUB")

    assert [(line.kind, line.amount) for line in statement.lines] == [
        ("release", 500),
        ("hold", 500),
        ("capture", 1_990),
        ("hold", 1_990),
        ("topup", 5_000),
    ]
    assert statement.lines[0].job_id == job.id
    assert statement.lines[-1].reference == "payment-1"
    assert statement.wallet.balance == 3_010


async def test_events_tell_each_job_in_order(world: World) -> None:
    good = await world.succeed(await create(world))
    bad = await world.fail(await create(world, "k2", prompt=DOOMED))

    events = await told(world.sendonce, 7)

    names = {job.id: [str(e.event) for e in events if e.job_id == job.id] for job in (good, bad)}
    assert names[good.id] == ["created", "running", "succeeded", "delivered"]
    assert names[bad.id] == ["created", "running", "failed"]
    assert [event.seq for event in events] == sorted({event.seq or 0 for event in events})
    assert len({event.id for event in events}) == 7
    ended = next(event for event in events if event.event == "failed")
    assert (ended.key, ended.user_id, ended.state) == ("k2", world.person, JobState.FAILED)
    assert ended.task_id
    delivered = next(event for event in events if event.event == "delivered")
    assert len(delivered.media) == 1


async def test_changes_are_read_page_by_page(world: World) -> None:
    await world.succeed(await create(world))

    first = await world.sendonce.changes(limit=3)
    rest = await world.sendonce.changes(first.next)
    nothing = await world.sendonce.changes(rest.next)

    assert [str(event.event) for event in (*first.events, *rest.events)] == [
        "created",
        "running",
        "succeeded",
        "delivered",
    ]
    assert (nothing.events, nothing.next) == ((), rest.next)


async def test_a_loop_goes_on_where_the_process_before_it_ended(
    world: World, tmp_path: Path
) -> None:
    cursor = FileCursor(tmp_path / "cursor")
    await world.succeed(await create(world))

    first = await told(world.sendonce, 3, cursor=cursor)
    second = await told(world.sendonce, 2, cursor=FileCursor(tmp_path / "cursor"))

    assert [str(event.event) for event in first] == ["created", "running", "succeeded"]
    # The last one of the first loop was not done with: it comes again, and says so by its id.
    assert second[0].id == first[-1].id
    assert str(second[-1].event) == "delivered"


async def test_news_wake_a_loop_that_has_caught_up(world: World) -> None:
    job = await create(world)
    events = world.sendonce.events(after=0)
    async with asyncio.timeout(PATIENCE):
        await anext(events)
        succeeding = asyncio.create_task(world.succeed(job))
        heard = [str((await anext(events)).event) for _ in range(3)]
    await succeeding
    await events.aclose()

    assert heard == ["running", "succeeded", "delivered"]


async def test_nothing_is_asked_before_connect_or_after_close(world: World) -> None:
    await world.sendonce.close()

    with pytest.raises(NotConnected):
        await world.sendonce.returned(world.person)
    await world.sendonce.connect()
    assert await world.sendonce.returned(world.person) == 0
