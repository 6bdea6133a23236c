"""How the schema stands beside what this version ships: migrations, their checksums, every object by name."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Final

import asyncpg

from chassis import storage
from chassis.queries import load
from contracts.ops import Migration, SchemaView

sql = load("job_store.store", "schema.sql")

# Every object that the migrations make, a line each; held to them by test_schema.py.
OBJECTS: Final = "schema_objects.txt"
DOWN: Final = "-- migrate:down"
NAMED: Final = 20  # missing objects that an answer names
CONNECT_WITHIN: Final = 30.0  # seconds, as long as dbmate waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """One migration as this version has it."""

    version: str
    name: str
    sha256: str
    reversible: bool


def shipped() -> tuple[Shipped, ...]:
    """Read the migrations of this version, oldest first."""
    return tuple(sorted(_read(), key=lambda one: one.version))


def expected_objects() -> tuple[str, ...]:
    """Return every object the schema has when all of them are applied."""
    text = resources.files("job_store.store").joinpath(OBJECTS).read_text("utf-8")
    return tuple(text.splitlines())


class Schema:
    """The schema of Postgres."""

    def __init__(self, database: storage.Database) -> None:
        self._database = database

    async def view(self) -> SchemaView:
        """Compare what is there with what this version ships."""
        async with self._database.transaction() as connection:
            at = await connection.fetchval("SELECT now()")
            there = {row["version"] for row in await connection.fetch(sql.applied)}
            checksums = await _checksums(connection)
            present = {row["what"] for row in await connection.fetch(sql.objects)}
        ours, expected = shipped(), expected_objects()
        missing = [what for what in expected if what not in present]
        return SchemaView(
            at=at,
            migrations=tuple(
                Migration(
                    version=one.version,
                    name=one.name,
                    applied=one.version in there,
                    reversible=one.reversible,
                    sha256=one.sha256,
                    applied_sha256=checksums.get(one.version),
                )
                for one in ours
            ),
            unknown=tuple(sorted(there - {one.version for one in ours})),
            objects=len(expected),
            missing_count=len(missing),
            missing=tuple(missing[:NAMED]),
        )


async def applied(url: str) -> list[str]:
    """Return the versions of a database, whichever version applied them, the oldest first.

    ``OSError`` when Postgres is away or does not let us in.
    """
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_WITHIN)
        try:
            return [row["version"] for row in await connection.fetch(sql.applied)]
        finally:
            await connection.close()
    except asyncpg.UndefinedTableError:
        return []
    except asyncpg.PostgresError as refusal:
        raise OSError(str(refusal)) from refusal


async def keep_checksums(url: str) -> None:
    """After migrations ran: keep what those that are applied said, forget those taken back."""
    connection = await asyncpg.connect(url, timeout=CONNECT_WITHIN)
    try:
        if not await connection.fetchval(sql.has_checksums):
            return
        ours = shipped()
        versions, digests = [one.version for one in ours], [one.sha256 for one in ours]
        await connection.execute(sql.keep_checksums, versions, digests)
        await connection.execute(sql.forget_checksums)
    finally:
        await connection.close()


async def _checksums(connection: storage.Connection) -> dict[str, str]:
    if not await connection.fetchval(sql.has_checksums):
        return {}
    return {row["version"]: row["sha256"] for row in await connection.fetch(sql.checksums)}


def _read() -> Iterator[Shipped]:
    for file in resources.files("job_store").joinpath("migrations").iterdir():
        if not file.name.endswith(".sql"):
            continue
        raw = file.read_bytes()
        version, _, name = file.name.removesuffix(".sql").partition("_")
        _, _, down = raw.decode().partition(DOWN)
        yield Shipped(
            version=version,
            name=name,
            sha256=hashlib.sha256(raw).hexdigest(),
            reversible=any(_is_sql(line) for line in down.splitlines()),
        )


def _is_sql(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("--")
