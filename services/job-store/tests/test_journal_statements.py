"""Every statement of the store has its counterpart on the journal, and the tables are those of the migrations."""

from collections.abc import Iterator
from importlib import resources
from pathlib import PurePath
from typing import Any

import asyncpg
import pytest

from job_store.journal.built_in import BuiltIn
from job_store.journal.lines import FORMAT
from job_store.journal.registry import STATEMENTS, functions, named
from job_store.journal.tables import SPECS, Tables
from journal_kit import JournalStore
from store_kit import Store

# But for what is kept of migrations, which the journal has none of.
COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable = 'YES' AS is_nullable, column_default IS NOT NULL
    OR is_identity = 'YES' AS has_default
FROM information_schema.columns WHERE table_schema = 'sendonce' AND table_name <> 'migration_checksums'"""
UNIQUE = """
SELECT t.relname AS table_name, i.relname AS name, x.indisprimary AS is_key,
    coalesce((SELECT array_agg(a.attname::text ORDER BY k.no) FROM unnest(x.indkey) WITH ORDINALITY AS k (attnum, no)
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum), '{}') AS columns
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = 'sendonce' AND x.indisunique
    AND t.relname <> 'migration_checksums'"""
TYPES = {"timestamp with time zone": "timestamptz", "double precision": "float8"}


def files() -> Iterator[str]:
    """Name the modules of counterparts that a .sql file of the store has."""
    for _ in resources.files(STATEMENTS).iterdir():
        if _.name.endswith(".py"):
            yield PurePath(_.name).stem


def test_every_statement_has_a_counterpart():
    missing = [f"{file}.sql: {name}" for file, name, _ in named() if name not in functions(file)]

    assert not missing, "write them in job_store/journal/statements"


def test_every_counterpart_has_its_statement():
    statements = {(file, name) for file, name, _ in named()}
    modules = {file for file, _ in statements}
    surplus = [
        f"{file}.py: {name}"
        for file in files()
        if file in modules
        for name in functions(file)
        if (file, name) not in statements
    ]

    assert not surplus


@pytest.mark.postgres
async def test_the_tables_are_those_of_the_migrations(store: Store):
    found: dict[str, dict[str, str]] = {}
    for row in await store.fetch(COLUMNS):
        kind = TYPES.get(row["data_type"], row["data_type"]) + "?" * row["is_nullable"]
        found.setdefault(row["table_name"], {})[row["column_name"]] = kind

    assert {spec.name: dict(spec.columns) for spec in SPECS} == found


@pytest.mark.postgres
async def test_what_has_a_default_has_it_in_both(store: Store):
    found: dict[str, set[str]] = {spec.name: set() for spec in SPECS}
    for row in await store.fetch(COLUMNS):
        if row["has_default"]:
            found[row["table_name"]].add(row["column_name"])

    assert {spec.name: set(spec.defaults) for spec in SPECS} == found


@pytest.mark.postgres
async def test_what_is_unique_is_unique_in_both(store: Store):
    rows = await store.fetch(UNIQUE)

    keys = {row["table_name"]: tuple(row["columns"]) for row in rows if row["is_key"]}
    assert {spec.name: spec.key for spec in SPECS if spec.key} == keys
    others = {row["name"]: tuple(row["columns"]) for row in rows if not row["is_key"]}
    known = {index.name: index.columns for spec in SPECS for index in spec.indexes if index.unique}
    assert known == others


async def test_a_journal_says_its_format_and_that_it_has_no_migrations():
    view = await BuiltIn(JournalStore().engine).view()

    assert (view.journal_format, view.migrations, view.unknown) == (FORMAT, (), ())
    assert view.objects > sum(len(spec.columns) for spec in SPECS)
    assert view.missing_count == 0


BOT = {
    "slug": "shop",
    "token_ref": "t",
    "kie_account": "a",
    "currency": "RUB",
    "language": "en",
}


@pytest.mark.parametrize(
    "change, error",
    [
        ({"slug": "Not a slug"}, asyncpg.CheckViolationError),
        ({"token_ref": None}, asyncpg.NotNullViolationError),
        ({"token_ref": "a\x00b"}, asyncpg.DataError),
        ({"staging_chat": 2**63}, asyncpg.DataError),
        ({"texts": {"hello": float("nan")}}, asyncpg.DataError),
        ({}, asyncpg.UniqueViolationError),
    ],
)
def test_a_row_is_refused_with_the_error_that_postgres_has_for_it(
    change: dict[str, Any], error: type[Exception]
):
    tables = Tables()
    tables.bots.add(BOT)
    tables.taken()

    with pytest.raises(error):
        tables.bots.add(BOT | ({"slug": "other"} if change else {}) | change)

    assert tables.taken() == []
    assert len(tables.bots.rows) == 1
