"""Where the rows are: a Postgres, or a journal of this process alone."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from chassis import lifecycle, postgres
from chassis.storage import Database
from job_store.journal import opening as journal
from job_store.journal.built_in import BuiltIn
from job_store.settings import Settings
from job_store.store.schema import Schema
from job_store.verbs import Looker

log = structlog.get_logger()

JOURNAL: Final = "journal"  # its directory in the data directory
POOL: Final = 12  # connections: a batch of each kind, the clocks' rounds and reads side by side, seldom all at once


@dataclass(frozen=True, slots=True)
class Storage:
    """What keeps the rows, and what must run beside it."""

    name: str
    database: Database
    schema: Looker
    parts: tuple[lifecycle.Part, ...] = ()


@asynccontextmanager
async def _postgres(settings: Settings, name: str) -> AsyncIterator[Storage]:
    async with postgres.connected(
        settings.database_address, application_name=name, schema="sendonce", max_size=POOL
    ) as database:
        yield Storage("postgres", database, Schema(database))


@asynccontextmanager
async def _journal(settings: Settings, _name: str) -> AsyncIterator[Storage]:
    async with journal.opened(settings.data_dir / JOURNAL) as opened:
        log.warning(
            "storage.json", gives_up="a second job-store, SQL, more state than memory holds"
        )
        built_in = BuiltIn(opened.database)
        yield Storage("journal", opened.database, built_in, parts=(opened.keeper,))


# By `SENDONCE_STORAGE`; the name is what Postgres sees of its client.
OPENED: Final[Mapping[str, Callable[[Settings, str], AbstractAsyncContextManager[Storage]]]] = {
    "postgres": _postgres,
    "json": _journal,
}
