"""Postgres' roles: job-store can run its own statements and nothing else, people may look, and no right is spare."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from secrets import token_hex

import asyncpg
import pytest
import pytest_asyncio

from grants_kit import Connection, Grant, grants, member_of, refused, statements
from job_store import privileges
from job_store.migrate import migrate_database
from job_store.privileges import GRANTS, READER_ROLE, ROLES, STORE_ROLE, TABLE
from testkit.servers.protocol import DatabaseServer

ALL = grants()
TABLES = sorted({one.on for one in ALL if not one.on.startswith("SCHEMA ")})
# What the command shows a person is made of these.
LOOKS = re.compile(
    r"(doctor|ops|standing)\.\w+|audit\.list_audit|dead\.(list_dead|dead_letter)"
    r"|cases\.(see_jobs|\w+_of_jobs|bots_by_slug)|lineage\.(held|open_restore|may_repeat|unknown_jobs)"
    r"|requests\.(list_\w+|wallet|statement|changes|orphan|bodies_of_task|timeline|ledger_of_job|bot_of_job"
    r"|job_ids?_\w+|undelivered)|repairs\.(uncertain_jobs|job_of_part|jobs_by_keys)|orphans\.reports_of_orphans"
)
# Beyond any right that could be granted on a table.
FORBIDDEN = (
    "CREATE TABLE sendonce.mine (id int)",
    "CREATE TABLE public.mine (id int)",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION sendonce.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "ALTER TABLE sendonce.jobs ADD COLUMN mine int",
    "ALTER TABLE sendonce.ledger DISABLE TRIGGER ledger_insert_only",
    "DROP TABLE sendonce.ledger",
    "DROP TRIGGER ledger_insert_only ON sendonce.ledger",
    "TRUNCATE sendonce.ledger",
    "UPDATE sendonce.ledger SET amount = 1",
    "DELETE FROM sendonce.ledger",
    "UPDATE sendonce.audit SET who = 'me'",
    "DELETE FROM sendonce.audit",
    "UPDATE sendonce.jobs SET price = 1",
    "UPDATE sendonce.jobs SET user_id = 1",
    "DELETE FROM sendonce.jobs",
    "BEGIN; LOCK TABLE sendonce.jobs IN ACCESS EXCLUSIVE MODE; COMMIT",
    "SELECT * FROM pg_authid",
    f"DELETE FROM {TABLE}",
    "CREATE ROLE mine",
    "COPY sendonce.jobs TO PROGRAM 'cat'",
    "SELECT pg_read_file('/etc/passwd')",
)
# What the migration runs, as the owner.
OF_THE_OWNER = {"schema.keep_checksums", "schema.forget_checksums"}
RELATION = "CASE c.relnamespace::regnamespace::text WHEN 'sendonce' THEN '' ELSE 'public.' END || c.relname AS relname"
roles = pytest.mark.parametrize("role", [STORE_ROLE, READER_ROLE])


@dataclass(frozen=True, slots=True)
class Ground:
    url: str
    owner: Connection


@pytest_asyncio.fixture
async def ground(database_url: str) -> AsyncIterator[Ground]:
    owner = await asyncpg.connect(database_url, server_settings={"search_path": "sendonce"})
    yield Ground(database_url, owner)
    await owner.close()


def needs_of(role: str) -> list[str]:
    ours = [name for name in statements() if name not in OF_THE_OWNER]
    return [name for name in ours if role == STORE_ROLE or LOOKS.fullmatch(name)]


def test_every_statement_of_the_file_is_a_row() -> None:
    said = re.sub(r"--.*", "", GRANTS)

    assert said.count("GRANT") == len({(one.role, one.on) for one in ALL})
    assert len(set(ALL)) == len(ALL)
    assert {one.role for one in ALL} == set(ROLES)


@roles
async def test_a_role_can_run_all_it_needs(ground: Ground, role: str) -> None:
    async with member_of(role, ground.url) as member:
        assert await refused(member, needs_of(role)) == set()


@roles
async def test_a_role_has_the_rights_of_the_file_and_no_others(ground: Ground, role: str) -> None:
    granted = await ground.owner.fetch(
        f"SELECT {RELATION}, a.privilege_type AS right, NULL AS column FROM pg_class c, aclexplode(c.relacl) a"
        " WHERE a.grantee = $1::regrole UNION ALL"
        f" SELECT {RELATION}, a.privilege_type, t.attname FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid,"
        " aclexplode(t.attacl) a WHERE a.grantee = $1::regrole UNION ALL"
        " SELECT 'SCHEMA ' || n.nspname, a.privilege_type, NULL FROM pg_namespace n, aclexplode(n.nspacl) a"
        " WHERE a.grantee = $1::regrole",
        role,
    )

    found = {Grant(role, row["relname"], row["right"], row["column"]) for row in granted}
    assert found == {one for one in ALL if one.role == role}


@roles
async def test_everything_else_is_refused(ground: Ground, role: str) -> None:
    async with member_of(role, ground.url) as member:
        for statement in FORBIDDEN:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await member.execute(statement)
            await member.execute("ROLLBACK")


@roles
async def test_every_right_is_needed(ground: Ground, role: str) -> None:
    """Without it a statement of the store is refused, and each of them is run by the tests of its verbs."""
    spare, texts = [], {name: statements()[name] for name in needs_of(role)}
    async with member_of(role, ground.url) as member:
        for grant in (one for one in ALL if one.role == role):
            about = (name for name, text in texts.items() if may_need(grant, text))
            await ground.owner.execute(f"REVOKE {grant.phrase} FROM {role}")
            if not await refused(member, about, enough=1):
                spare.append(str(grant))
            await ground.owner.execute(f"GRANT {grant.phrase} TO {role}")

    assert spare == []


def may_need(grant: Grant, statement: str) -> bool:
    """Leave out what says nothing of this kind, for the time it takes."""
    if grant.on.startswith("SCHEMA "):
        return True
    words = {"INSERT": "INSERT INTO", "UPDATE": "UPDATE", "DELETE": "DELETE FROM"}
    has_word = words.get(grant.right, "") in statement
    return has_word and re.search(rf"\b{grant.on}\b", statement) is not None


async def test_grants_come_with_the_migration_and_only_with_the_newest(database_url: str) -> None:
    owner = await asyncpg.connect(database_url)
    await owner.execute(f"GRANT DELETE ON sendonce.ledger TO {STORE_ROLE}")
    assert f"granted to {STORE_ROLE}" in await migrate_database(database_url)
    may = f"SELECT has_table_privilege('{STORE_ROLE}', 'sendonce.ledger', $1)"
    assert not await owner.fetchval(may, "DELETE")

    await owner.execute(f"INSERT INTO {TABLE} VALUES ('99990101000001')")
    await owner.execute(f"REVOKE SELECT ON sendonce.ledger FROM {STORE_ROLE}")
    said = await migrate_database(database_url)
    await owner.close()

    assert "newer version: its grants stay as they are" in said


async def test_who_may_not_make_roles_is_told_what_to_do(
    postgres_server: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner of a database who is nobody else: migrations run, and job-store may run as the owner."""
    server, name = await asyncpg.connect(postgres_server.url), f"owner_{token_hex(4)}"
    await server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
    await server.execute(f"CREATE DATABASE {name} OWNER {name}")
    try:
        _, _, at = postgres_server.url_of(name).rpartition("@")
        url = f"postgresql://{name}:x@{at}"
        with monkeypatch.context() as patched:
            patched.setattr(privileges, "ROLES", {"absent": "CREATE ROLE absent"})
            assert "there are no roles absent" in await migrate_database(url)
        assert f"granted to {STORE_ROLE}" in await migrate_database(url)
    finally:
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await server.execute(f"DROP ROLE {name}")
        await server.close()
