"""Handlers on a pool of their own beside the kit's, so that a fault of theirs is not ours."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from urllib.parse import urlsplit
from uuid import UUID

from chassis import postgres
from chassis.bus import Delivered
from contracts.message import Message
from contracts.values import JobState, MoneyState
from job_store.handlers import Handlers
from job_store.store.rows import outbox_row
from store_kit import NOW, Store, create
from testkit.links import Link, Robber
from testkit.ports import free_port

PRICE = 100
QUICK = postgres.Limits(
    acquire=timedelta(seconds=0.5), statement=timedelta(seconds=1.5), lock=timedelta(seconds=0.5)
)
PATIENT = postgres.Limits(acquire=timedelta(seconds=10))

_seqs = count(1)


def heard(message: Message, *, times: int = 1) -> Delivered:
    """A message as the bus hands it over for the n-th time."""
    return Delivered(
        subject="s",
        data=message.wire(),
        headers={},
        num_delivered=times,
        stream_seq=next(_seqs),
        timestamp=NOW,
    )


@asynccontextmanager
async def second_store(
    url: str, *, size: int = 4, limits: postgres.Limits = PATIENT
) -> AsyncIterator[Store]:
    """Another replica's store."""
    database = await postgres.connect(
        url, application_name="second", schema="sendonce", max_size=size, limits=limits
    )
    try:
        yield Store(database)
    finally:
        await postgres.disconnect(database)


def hands_of(store: Store) -> Handlers:
    return Handlers(store.inbox, store.effects)


@asynccontextmanager
async def link_to(url: str, robber: Callable[[], Robber] | None = None) -> AsyncIterator[Link]:
    """A link to a server, whose answers somebody may steal."""
    async with Link(_port(url), port=free_port(), robber=robber) as link:
        yield link


def through(link: Link, url: str) -> str:
    """The same address behind a link."""
    return url.replace(f":{_port(url)}", f":{link.port}")


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


@asynccontextmanager
async def robbed(url: str, robber: Callable[[], Robber]) -> AsyncIterator[str]:
    """The same database, where somebody may steal the answers."""
    async with link_to(url, robber) as link:
        yield through(link, url)


async def paid_and_running(store: Store) -> UUID:
    """A job whose price is held and whose task KIE works on."""
    await store.topup(PRICE)
    return await store.running(create(price=PRICE))


async def relayed(store: Store) -> None:
    """Let the kit's workers hear what other replicas committed, as the relay would find it."""
    known = {row.id for row in store.offered}
    rows = await store.fetch("SELECT id, subject, msg_id, payload, trace FROM outbox ORDER BY id")
    store.offered += [outbox_row(row) for row in rows if row["id"] not in known]


async def assert_charged_and_shown_once(store: Store, job_id: UUID) -> None:
    """Whatever went wrong before: one capture, one part, one message, and nothing left to do."""
    before = await store.job(job_id)
    assert before.state is JobState.SUCCEEDED
    await relayed(store)
    await store.show_all(first_message=1_000 + 10 * next(_seqs))
    job = await store.job(job_id)
    assert (job.state, job.money) == (JobState.DELIVERED, MoneyState.CAPTURED)
    entries = await store.fetch("SELECT kind FROM ledger WHERE job_id = $1 ORDER BY id", job_id)
    assert [row["kind"] for row in entries] == ["hold", "capture"]
    told = await store.fetch("SELECT event FROM events WHERE job_id = $1 ORDER BY seq", job_id)
    assert [row["event"] for row in told] == ["created", "running", "succeeded", "delivered"]
    assert await store.value("SELECT count(*) FROM parts WHERE job_id = $1", job_id) == 1
    assert await store.wallet() == (0, 0)
