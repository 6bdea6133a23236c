"""Which function answers which statement: found by the text, which is what the store says."""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module, resources
from pathlib import PurePath
from types import ModuleType
from typing import Final

from chassis.queries import load
from job_store.journal.tables import Tables
from job_store.journal.values import Row
from job_store.store.users import COUNTED

Statement = Callable[..., list[Row] | None]

STORE: Final = "job_store.store"
# The schema itself is looked at, which is code here: `built_in` says how it stands.
OF_POSTGRES: Final = {"schema.sql"}
STATEMENTS: Final = "job_store.journal.statements"


class UnknownStatementError(LookupError):
    """The store said a statement that has no counterpart here: a bug, which a test finds first."""


def named() -> Iterator[tuple[str, str, str]]:
    """Name every statement of the store: its file without the suffix, its name, its text."""
    for entry in sorted(resources.files(STORE).iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".sql") and entry.name not in OF_POSTGRES:
            for name, text in load(STORE, entry.name).items():
                yield PurePath(entry.name).stem, name, text
    yield "users", "counted", COUNTED  # said around another


def functions(file: str) -> Mapping[str, Statement]:
    """Return the counterparts of a file's statements: the public functions of the module of its name."""
    try:
        module: ModuleType = import_module(f"{STATEMENTS}.{file}")
    except ModuleNotFoundError:
        return {}
    return {
        name: member
        for name, member in vars(module).items()
        if callable(member)
        and not name.startswith("_")
        and getattr(member, "__module__", None) == module.__name__
    }


def registry() -> dict[str, Statement]:
    """Return every counterpart by the text of its statement."""
    found = {}
    for file, name, text in named():
        counterpart = functions(file).get(name)
        if counterpart is not None:
            found[text] = counterpart
    return found


def run(
    found: Mapping[str, Statement], tables: Tables, query: str, args: tuple[object, ...]
) -> list[Row]:
    """Answer a statement."""
    statement = found.get(query)
    if statement is None:
        raise UnknownStatementError(query[:200])
    return statement(tables, *args) or []
