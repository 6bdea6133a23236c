"""Between rows of the store and values of the domain."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, Final, TypeAlias
from uuid import UUID

from pydantic import BaseModel
from pydantic_core import to_json

from chassis import storage
from chassis.outbox import OutboxRow
from chassis.tracing import TRACEPARENT
from contracts.deliveries import Item
from contracts.markup import Button, Entity, Keyboard
from contracts.streams import stream_of
from contracts.values import Cause, FailureClass, JobState, MediaKind, MoneyState, PartState
from job_store.domain.pacing import Bucket
from job_store.domain.rows import (
    Bot,
    Door,
    Effect,
    EffectKind,
    EffectState,
    Job,
    Owner,
    Part,
)
from job_store.domain.wide import restored

Row: TypeAlias = storage.Row
"""Typed only by the schema: this module is where ``Any`` ends."""


_RECORDSET: Final = re.compile(r"\bjson_to_recordset\(.*?\)\s+AS n \(([^)]*)\)", re.DOTALL)


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _read(kind: type, row: Row) -> dict[str, Any]:
    return {name: row[name] for name in _names(kind)}


def bot_of(row: Row) -> Bot:
    return Bot(**_read(Bot, row))


def job_of(row: Row) -> Job:
    values = _read(Job, row)
    values["door"] = Door(values["door"])
    values["state"] = JobState(values["state"])
    values["money"] = MoneyState(values["money"])
    values["cause"] = None if values["cause"] is None else Cause(values["cause"])
    values["failure"] = None if values["failure"] is None else FailureClass(values["failure"])
    values["caption_entities"] = entities_of(values["caption_entities"])
    values["buttons"] = keyboard_of(values["buttons"])
    return restored(Job, values)


def effect_of(row: Row) -> Effect:
    values = _read(Effect, row)
    values["kind"] = EffectKind(values["kind"])
    values["state"] = EffectState(values["state"])
    return restored(Effect, values)


def part_of(row: Row) -> Part:
    values = _read(Part, row)
    values["kind"] = MediaKind(values["kind"])
    values["state"] = PartState(values["state"])
    values["entities"] = entities_of(values["entities"])
    values["items"] = tuple(Item.model_validate(item) for item in values["items"])
    values["buttons"] = keyboard_of(values["buttons"])
    return restored(Part, values)


def owner_of(row: Row) -> Owner:
    return Owner(**_read(Owner, row))


def bucket_of(row: Row) -> Bucket:
    return Bucket(**_read(Bucket, row))


def outbox_row(row: Row) -> OutboxRow:
    return OutboxRow(
        id=row["id"],
        stream=stream_of(row["subject"]),
        subject=row["subject"],
        msg_id=row["msg_id"],
        headers={TRACEPARENT: row["trace"]} if row["trace"] else {},
        payload=row["payload"],
    )


def entities_of(stored: Iterable[Mapping[str, Any]]) -> tuple[Entity, ...]:
    return tuple(Entity.model_validate(entity) for entity in stored)


def keyboard_of(stored: Iterable[Iterable[Mapping[str, Any]]]) -> Keyboard:
    return tuple(tuple(Button.model_validate(button) for button in row) for row in stored)


@cache
def columns_of(query: str) -> tuple[str, ...]:
    """Name the columns that a query reads out of its recordset."""
    found = _RECORDSET.search(query)
    if found is None:
        msg = "the query reads no json_to_recordset(...) AS n (...)"
        raise ValueError(msg)
    return tuple(column.split()[0] for column in found[1].split(","))


def rowset(query: str, values: Iterable[object]) -> str:
    """Turn values into what the query's ``json_to_recordset`` reads: the columns it names, as JSON."""
    names = columns_of(query)
    taken = attrgetter(*names)
    rows = [dict(zip(names, taken(value), strict=True)) for value in values]
    return to_json(rows, exclude_none=True).decode()


def recordset(values: Iterable[object]) -> list[dict[str, Any]]:
    """Turn values into what ``jsonb_populate_recordset`` reads."""
    return [record(value) for value in values]


def record(value: object) -> dict[str, Any]:
    if not is_dataclass(value):
        msg = f"not a row: {type(value).__name__}"
        raise TypeError(msg)
    kind: type = type(value)
    return {name: plain(getattr(value, name)) for name in _names(kind)}


def plain(value: Any) -> Any:  # noqa: ANN401 - the border to JSON
    if value is None or isinstance(value, str | int | float):
        return value
    match value:
        case UUID():
            return str(value)
        case datetime():
            return value.isoformat()
        case BaseModel():
            return value.model_dump(mode="json")
        case tuple():
            return [plain(item) for item in value]
        case _:
            return value
