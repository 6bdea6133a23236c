"""The grants file as rows, and which of the store's statements a role may run."""

import re
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

import asyncpg

from chassis import queries
from job_store.privileges import GRANTS, as_role

GRANT: Final = re.compile(r"^GRANT ([^;]+?)\s+ON (SCHEMA )?([\w.]+) TO (\w+);", re.MULTILINE)
RIGHT: Final = re.compile(r"([A-Z]+)(?: \(([^)]*)\))?")
NOT_ALLOWED: Final = (
    asyncpg.InsufficientPrivilegeError,
    asyncpg.UndefinedTableError,  # who may not use the schema does not see what is in it
)

Connection = asyncpg.Connection  # generic only in its stubs


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One right of one role; an UPDATE is of one column."""

    role: str
    on: str  # `SCHEMA sendonce`, or a table; without its schema if that is ours
    right: str
    column: str | None = None

    def __str__(self) -> str:
        return f"{self.phrase} to {self.role}"

    @property
    def phrase(self) -> str:
        """As SQL says it, between GRANT or REVOKE and the role."""
        column = f" ({self.column})" if self.column else ""
        is_named_whole = self.on.startswith(("SCHEMA ", "public."))
        place = self.on if is_named_whole else f"sendonce.{self.on}"
        return f"{self.right}{column} ON {place}"


def grants(text: str = GRANTS) -> list[Grant]:
    """Return every single right that the file grants."""
    return [one for statement in GRANT.findall(text) for one in _rights(*statement)]


def _rights(rights: str, schema: str, name: str, role: str) -> Iterator[Grant]:
    on = f"SCHEMA {name}" if schema else name.removeprefix("sendonce.")
    for right, columns in RIGHT.findall(rights):
        for column in columns.split(",") if columns else [None]:
            yield Grant(role, on, right, column and column.strip())


@cache
def statements() -> dict[str, str]:
    """Return every named query of the store, by file and name."""
    package = "job_store.store"
    files = [each.name for each in resources.files(package).iterdir() if each.name.endswith(".sql")]
    return {
        f"{file.removesuffix('.sql')}.{name}": text
        for file in sorted(files)
        for name, text in queries.load(package, file).items()
    }


@asynccontextmanager
async def member_of(role: str, url: str) -> AsyncIterator[Connection]:
    """Connect with the rights of a role, as the store sees the database."""
    connection = await asyncpg.connect(
        as_role(url, role), server_settings={"search_path": "sendonce"}
    )
    try:
        yield connection
    finally:
        await connection.close()


async def refused(
    connection: Connection, names: Iterable[str], *, enough: int | None = None
) -> set[str]:
    """Return which of these statements Postgres would not run; it checks that when it plans to."""
    texts, found = statements(), set[str]()
    for name in names:
        try:
            await connection.execute(f"EXPLAIN (GENERIC_PLAN) {texts[name]}")
        except NOT_ALLOWED:
            found.add(name)
        if len(found) == enough:
            break
    return found
