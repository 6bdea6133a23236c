"""Postgres' roles and what is granted to them: applied after the migrations, by whoever owns the tables."""

from importlib import resources
from typing import Final

import asyncpg

from chassis import queries

TABLE: Final = "public.sendonce_migrations"
STORE_ROLE: Final = "sendonce_store"
READER_ROLE: Final = "sendonce_reader"
ROLES: Final = queries.load("job_store", "roles.sql")
GRANTS: Final = resources.files("job_store").joinpath("grants.sql").read_text("utf-8")
ROLES_AND_GRANTS: Final = "".join(f"{text};\n" for text in ROLES.values()) + "\n" + GRANTS
LOCK: Final = 5_386_143  # any number of our own; two migrations side by side take turns


async def apply(url: str) -> str:
    """Make the roles if they are missing, grant what stands in the table, and say what was done.

    Raises ``asyncpg.InsufficientPrivilegeError`` when the tables are not this user's.
    """
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            if await _is_newer(connection):
                return "the schema is of a newer version: its grants stay as they are"
            missing = await _make_roles(connection)
            if missing:
                return (
                    f"there are no roles {', '.join(missing)} and this user may not make them: job-store runs "
                    "as the owner until somebody types what `sendonce access postgres` prints"
                )
            await connection.execute(GRANTS)
            return f"granted to {STORE_ROLE} and {READER_ROLE}"
    finally:
        await connection.close()


def as_role(url: str, role: str) -> str:
    """Return the address of the same database, with the rights of a role the user is a member of."""
    return f"{url}{'&' if '?' in url else '?'}role={role}"


async def _is_newer(connection: "asyncpg.Connection[asyncpg.Record]") -> bool:
    known = {
        file.name.partition("_")[0]
        for file in (resources.files("job_store") / "migrations").iterdir()
    }
    applied = await connection.fetch(f"SELECT version FROM {TABLE}")  # noqa: S608 - a constant of ours
    return not {row["version"] for row in applied} <= known


async def _make_roles(connection: "asyncpg.Connection[asyncpg.Record]") -> list[str]:
    """Return those that are missing and cannot be made."""
    rows = await connection.fetch(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY($1::text[])", list(ROLES)
    )
    there = {row["rolname"] for row in rows}
    return [role for role in ROLES if role not in there and not await _made(connection, role)]


async def _made(connection: "asyncpg.Connection[asyncpg.Record]", role: str) -> bool:
    try:
        async with connection.transaction():
            await connection.execute(ROLES[role])
    except asyncpg.InsufficientPrivilegeError:
        return False
    except (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
        # Roles are the server's, not the database's: another migration made it at this moment.
        return True
    return True
