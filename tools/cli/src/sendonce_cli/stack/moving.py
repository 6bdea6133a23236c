"""Both sides of `export` and `import`: a journal, a Postgres of yours, or the one that `up` embeds."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from job_store.app import JOURNAL, NOT_MOVED, InJournal, InPostgres, Tally, export, restore
from sendonce_cli.settings import Settings, Storage
from sendonce_cli.stack.migration import schema_up
from sendonce_cli.stack.servers import database_at
from sendonce_cli.trouble import Trouble

Side = InPostgres | InJournal


async def into_file(settings: Settings, storage: Storage, file: Path) -> Tally:
    """Write everything that a storage keeps into a file."""
    return await _moved(settings, storage, lambda side: export(side, file))


async def from_file(settings: Settings, storage: Storage, file: Path) -> Tally:
    """Read a file into an empty storage."""
    return await _moved(settings, storage, lambda side: restore(file, side))


async def _moved(
    settings: Settings, storage: Storage, move: Callable[[Side], Awaitable[Tally]]
) -> Tally:
    async with _side(settings, storage) as side:
        try:
            return await move(side)
        except (*NOT_MOVED, OSError) as refused:
            raise Trouble(str(refused), hint="nothing was changed") from refused


@asynccontextmanager
async def _side(settings: Settings, storage: Storage) -> AsyncIterator[Side]:
    if storage is Storage.JSON:
        yield InJournal(settings.data_dir / JOURNAL)
    elif settings.database_url is not None:
        yield await _migrated(settings.database_url.get_secret_value())
    else:
        async with database_at(settings.data_dir) as url:
            yield await _migrated(url)


async def _migrated(url: str) -> InPostgres:
    await schema_up(url)
    return InPostgres(url)
