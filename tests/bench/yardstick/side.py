"""The yardstick as two processes, its table and its stream."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import nats
from nats.js.api import StorageType, StreamConfig
from nats.js.errors import NotFoundError

from bench.doubles.kie import finished
from bench.ground import Ground
from bench.play import Prepared, with_code
from bench.system import chat_of
from bench.yardstick.names import DURABLE, STREAM, SUBJECT
from testkit.ports import LOOPBACK, free_port
from testkit.processes import Child, python_module
from testkit.processes.service import environment

READY_WITHIN = 30.0
TABLE = """
CREATE TABLE results (
    task_id text PRIMARY KEY, chat_id bigint NOT NULL, state text NOT NULL, message_id bigint
) WITH (fillfactor = 80)
"""


@dataclass(kw_only=True)
class Yardstick:
    """The running loop."""

    url: str
    database_url: str
    door: Child
    worker: Child | None

    @property
    def pids(self) -> list[int]:
        """Its processes."""
        return [child.pid for child in (self.door, self.worker) if child is not None]

    async def registered(self, marks: Collection[str]) -> list[Prepared]:
        """Make a row for each mark, and its callback."""
        connection = await asyncpg.connect(self.database_url)
        try:
            await connection.executemany(
                "INSERT INTO results (task_id, chat_id, state) VALUES ($1, $2, 'running')",
                [(f"task-{mark}", chat_of(mark)) for mark in marks],
            )
        finally:
            await connection.close()
        return [
            Prepared(
                mark=mark,
                path="/callbacks",
                body=finished(f"task-{mark}", mark=mark).decode(),
                headers={},
            )
            for mark in marks
        ]


@asynccontextmanager
async def yardstick(
    ground: Ground, *, workplace: Path, with_worker: bool
) -> AsyncIterator[Yardstick]:
    """Start it; without a worker callbacks only pile up."""
    await _make_stream(ground.nats.url)
    database_url = await ground.new_database()
    connection = await asyncpg.connect(database_url)
    await connection.execute(TABLE)
    await connection.close()
    port = free_port()
    async with AsyncExitStack() as stack:
        door = _child("door", workplace, "--nats-url", ground.nats.url, "--port", str(port))
        stack.push_async_callback(door.stop)
        door.spawn()
        await door.ready(lambda: _listens(port), within=READY_WITHIN)
        worker = None
        if with_worker:
            servers = ("--nats-url", ground.nats.url, "--database-url", database_url)
            worker = _child("worker", workplace, *servers, "--telegram-url", ground.screen.url)
            stack.push_async_callback(worker.stop)
            worker.spawn()
            await worker.ready(lambda: _consumes(ground.nats.url), within=READY_WITHIN)
        url = f"http://{LOOPBACK}:{port}"
        yield Yardstick(url=url, database_url=database_url, door=door, worker=worker)


def _child(name: str, workplace: Path, *arguments: str) -> Child:
    return Child(
        name=f"yardstick-{name}",
        command=python_module(f"bench.yardstick.{name}", *arguments),
        log=workplace / "logs" / f"yardstick-{name}.log",
        env=environment(with_code({})),
    )


async def _make_stream(nats_url: str) -> None:
    client = await nats.connect(nats_url)
    try:
        js = client.jetstream()
        await js.add_stream(StreamConfig(name=STREAM, subjects=[SUBJECT], storage=StorageType.FILE))
        await js.purge_stream(STREAM)
    finally:
        await client.close()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    return True


async def _consumes(nats_url: str) -> bool:
    client = await nats.connect(nats_url)
    try:
        found = await client.jetstream().consumer_info(STREAM, DURABLE)
    except NotFoundError:
        return False
    finally:
        await client.close()
    return bool(found.push_bound)
