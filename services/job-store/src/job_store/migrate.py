"""The one migration step: the schema by dbmate with its grants, the streams and durables by the bus."""

import asyncio
import re
import shutil
import sys
from collections import Counter
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Final

import asyncpg

from chassis import bus, clock
from contracts import streams
from job_store import privileges
from job_store.store.schema import applied, keep_checksums, shipped

CHANGES = ("up", "down")  # commands after which other migrations are applied than before
# Services take their locks in another order than a migration that changes several tables: Postgres ends one
# of both, or the migration gives up what it cannot have soon. Either way nothing of it is left.
MET_OTHERS: Final = ("(40P01)", "(55P03)")  # deadlock, lock timeout: as Postgres' driver says them
TRIES: Final = 20  # of one migration
IN_THE_WAY: Final = (
    "met running services each time; nothing of it is left: type it again when less goes on"
)
PAUSE: Final = 0.5  # seconds; services get on meanwhile
BEGUN: Final = re.compile(r"^(?:Applying|Rolling back): (\S+)$", re.MULTILINE)  # dbmate's words
NO_TRANSACTION: Final = "transaction:false"


class MigrationError(Exception):
    """dbmate or Postgres refused; their own words follow."""


async def migrate_database(url: str, command: str = "up") -> str:
    """Run one dbmate command (``up``, ``down``, ``status``) and return what it said; ``up`` grants, too."""
    said = await _dbmate_says(url, command)
    if command != "up":
        return said
    try:
        return f"{said}{await privileges.apply(url)}\n"
    except asyncpg.InsufficientPrivilegeError as refused:
        raise MigrationError(f"grants: {refused}") from refused


async def _dbmate_says(url: str, command: str) -> str:
    """Return what one dbmate command said, of every time that it was run.

    ``down`` is refused when a newer version has been here: dbmate would take back the newest that it knows.
    """
    folder = resources.files("job_store") / "migrations"
    said, tries = "", Counter[str]()
    with resources.as_file(folder) as path:
        if command == "down":
            await _refuse_newer(url, {one.version for one in shipped()})
        while True:
            code, text = await _run_dbmate(url, command, path)
            said += text
            if not code:
                break
            met = _met_others(text, path)
            if met is None:
                raise MigrationError(said.strip())
            tries[met] += 1
            if tries[met] >= TRIES:
                raise MigrationError(f"{said.strip()}\n{met} {IN_THE_WAY}")
            await clock.SYSTEM.sleep(PAUSE)
    if command in CHANGES:
        await keep_checksums(url)
    return said


async def _run_dbmate(url: str, command: str, migrations: Path) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        _dbmate(),
        *("--no-dump-schema", "--migrations-table", privileges.TABLE),
        *("--migrations-dir", str(migrations)),
        *("--wait", "--wait-timeout", "30s"),
        command,
        env={"DATABASE_URL": _with_sslmode(url), "PATH": ""},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode(errors="replace")


def _met_others(said: str, migrations: Path) -> str | None:
    """Return the migration that only met transactions of running services, and left nothing behind."""
    begun = BEGUN.findall(said)
    if not begun or not any(code in said for code in MET_OTHERS):
        return None
    # What is in no transaction may have left half an index, which a second try would take for a whole one.
    left_something = NO_TRANSACTION in (migrations / begun[-1]).read_text("utf-8")
    return None if left_something else str(begun[-1])


async def _refuse_newer(url: str, known: set[str]) -> None:
    try:
        unknown = [version for version in await applied(url) if version not in known]
    except OSError as away:
        msg = f"Postgres cannot be asked: {away}"
        raise MigrationError(msg) from away
    if unknown:
        msg = f"{unknown[-1]} was applied by a newer version: its own command takes it back"
        raise MigrationError(msg)


async def migrate_bus(url: str, *, creds: Path | None = None, replicas: int = 1) -> list[str]:
    """Make or mend the streams and durables; returns what was done.

    `replicas` is the number of copies NATS keeps of each; those that have more keep them.
    """
    async with bus.connected(url, name="migrate", creds=creds) as broker:
        return await bus.ensure_streams(
            broker.connection.jetstream(), stream_specs(replicas=replicas), consumer_specs()
        )


def stream_specs(*, replicas: int = 1) -> list[bus.StreamSpec]:
    """Return the streams as the bus makes them."""
    return [replace(bus.StreamSpec.of(stream), replicas=replicas) for stream in streams.STREAMS]


def consumer_specs() -> list[bus.ConsumerSpec]:
    """Return the durables as the bus makes them."""
    return [bus.ConsumerSpec.of(consumer) for consumer in streams.CONSUMERS]


def _dbmate() -> str:
    beside = Path(sys.executable).parent / "dbmate"
    found = str(beside) if beside.exists() else shutil.which("dbmate")
    if found is None:
        msg = "dbmate is not installed beside this Python"
        raise MigrationError(msg)
    return found


def _with_sslmode(url: str) -> str:
    """Say that TLS is not insisted on: dbmate's driver would, where asyncpg does not. A URL that says more keeps it."""
    if "sslmode=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}sslmode=disable"
