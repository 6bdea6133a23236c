"""What a table of the journal is made of: columns, keys, indexes, and what they name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from job_store.journal.values import Row

Where = Callable[[Row], object]
Named = Callable[[str, Any], Row]
"""The row of a table that has a key."""


class Default(Enum):
    NOW = "now"  # the moment of the transaction
    NEXT = "next"  # a number never given before


NOW, NEXT = Default.NOW, Default.NEXT


@dataclass(frozen=True, slots=True)
class Index:
    """Rows by the values of columns; a unique one refuses a second row unless a value is NULL."""

    name: str
    columns: tuple[str, ...]
    where: Where | None = None
    unique: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One table; a column whose type ends with `?` may be NULL."""

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, str]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    indexes: tuple[Index, ...] = ()
    references: tuple[tuple[str, str], ...] = ()  # columns, and the table whose key they are
    insert_only: bool = False
    may_lessen: tuple[str, ...] = ()  # columns of an insert-only table that may lose words
    may_go: Callable[[Row, Named], bool] | None = None  # rows of one that may be deleted


def columns(text: str) -> dict[str, str]:
    names_and_types = (column.split() for column in text.split(","))
    return dict(names_and_types)


def unique(name: str, columns: str, where: Where | None = None) -> Index:
    return Index(name, tuple(columns.split()), where, unique=True)


def by(*names: str) -> tuple[Index, ...]:
    return tuple(Index(name, (name,)) for name in names)
