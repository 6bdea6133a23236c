"""Whole tables of Postgres, for moving everything to another storage; their names are our own, never somebody's."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from chassis import postgres
from chassis.postgres import Connection

CHUNK: Final = 500  # rows at once


@asynccontextmanager
async def one_state(url: str) -> AsyncIterator[Connection]:
    """Read the database as it is at one moment."""
    async with (
        _opened(url) as database,
        database.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield connection


@asynccontextmanager
async def all_or_nothing(url: str) -> AsyncIterator[Connection]:
    """Change the database in one transaction."""
    async with _opened(url) as database, database.transaction() as connection:
        yield connection


def _opened(url: str) -> Any:  # noqa: ANN401 - a context manager of `chassis.postgres`
    return postgres.connected(url, application_name="moving", schema="sendonce", max_size=1)


async def rows_of(
    connection: Connection, table: str, columns: Sequence[str]
) -> AsyncIterator[list[dict[str, Any]]]:
    """Return all rows of a table, a chunk at a time."""
    named = ", ".join(f'"{column}"' for column in columns)
    chunk: list[dict[str, Any]] = []
    async for row in connection.cursor(f"SELECT {named} FROM {table} ORDER BY 1"):  # noqa: S608 - our names
        chunk.append(dict(row))
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


async def is_empty(connection: Connection, table: str) -> bool:
    found: bool = await connection.fetchval(f"SELECT NOT EXISTS (SELECT FROM {table})")  # noqa: S608 - our names
    return found


async def put(
    connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert rows as they are, with the numbers they have."""
    named = ", ".join(f'"{column}"' for column in columns)
    places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    await connection.executemany(
        f"INSERT INTO {table} ({named}) OVERRIDING SYSTEM VALUE VALUES ({places})",  # noqa: S608 - our names
        [[row[column] for column in columns] for row in rows],
    )


async def given(connection: Connection, table: str, column: str) -> int:
    """Return the highest number that was given to a row, also to one that is gone."""
    found: int = await connection.fetchval(
        f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {table}_{column}_seq"  # noqa: S608 - our names
    )
    return found


async def give(connection: Connection, table: str, column: str, number: int) -> None:
    """Never give numbers up to this one again."""
    if number:
        await connection.execute(
            "SELECT setval($1::text::regclass, $2)", f"{table}_{column}_seq", number
        )
