"""Between rows of Postgres and values of the domain."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import BaseModel

from chassis.outbox import OutboxRow
from contracts.deliveries import Item
from contracts.markup import Button, Entity, Keyboard
from contracts.streams import stream_of
from contracts.values import Cause, FailureClass, JobState, MediaKind, MoneyState, PartState
from job_store.domain.pacing import Bucket
from job_store.domain.rows import Bot, Door, Effect, EffectKind, EffectState, Job, Owner, Part

Row = asyncpg.Record
"""Typed only by the schema: this module is where ``Any`` ends."""


def bot_of(row: Row) -> Bot:
    return Bot(**{field.name: row[field.name] for field in fields(Bot)})


def job_of(row: Row) -> Job:
    values = {field.name: row[field.name] for field in fields(Job)}
    values["door"] = Door(values["door"])
    values["state"] = JobState(values["state"])
    values["money"] = MoneyState(values["money"])
    values["cause"] = None if values["cause"] is None else Cause(values["cause"])
    values["failure"] = None if values["failure"] is None else FailureClass(values["failure"])
    values["caption_entities"] = entities_of(values["caption_entities"])
    values["buttons"] = keyboard_of(values["buttons"])
    return Job(**values)


def effect_of(row: Row) -> Effect:
    values = {field.name: row[field.name] for field in fields(Effect)}
    values["kind"] = EffectKind(values["kind"])
    values["state"] = EffectState(values["state"])
    return Effect(**values)


def part_of(row: Row) -> Part:
    values = {field.name: row[field.name] for field in fields(Part)}
    values["kind"] = MediaKind(values["kind"])
    values["state"] = PartState(values["state"])
    values["entities"] = entities_of(values["entities"])
    values["items"] = tuple(Item.model_validate(item) for item in values["items"])
    values["buttons"] = keyboard_of(values["buttons"])
    return Part(**values)


def owner_of(row: Row) -> Owner:
    return Owner(**{field.name: row[field.name] for field in fields(Owner)})


def bucket_of(row: Row) -> Bucket:
    return Bucket(**{field.name: row[field.name] for field in fields(Bucket)})


def outbox_row(row: Row) -> OutboxRow:
    return OutboxRow(
        id=row["id"],
        stream=stream_of(row["subject"]),
        subject=row["subject"],
        msg_id=row["msg_id"],
        payload=row["payload"],
    )


def entities_of(stored: Iterable[Mapping[str, Any]]) -> tuple[Entity, ...]:
    return tuple(Entity.model_validate(entity) for entity in stored)


def keyboard_of(stored: Iterable[Iterable[Mapping[str, Any]]]) -> Keyboard:
    return tuple(tuple(Button.model_validate(button) for button in row) for row in stored)


def recordset(values: Iterable[object]) -> list[dict[str, Any]]:
    """Turn values into what ``jsonb_populate_recordset`` reads."""
    return [record(value) for value in values]


def record(value: object) -> dict[str, Any]:
    if not is_dataclass(value):
        msg = f"not a row: {type(value).__name__}"
        raise TypeError(msg)
    return {field.name: plain(getattr(value, field.name)) for field in fields(value)}


def plain(value: Any) -> Any:  # noqa: ANN401 - the border to JSON
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
