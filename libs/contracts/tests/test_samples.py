"""What travels today stays readable: the frozen samples against the classes."""

import json
from functools import cache
from typing import Final, get_args

import pytest
from pydantic import BaseModel, JsonValue, TypeAdapter

from contract_classes import models_in, travelling, values
from contracts import samples
from contracts.deliveries import Action, DeliveryResult
from contracts.message import Message, Value
from contracts.submissions import SubmissionResult

SAMPLES: Final = samples.all()
CLASSES: Final = travelling()
# Their keys are not ours to add to.
FREE: Final = {"input", "headers", "by_state", "told_to_wait", "credits", "texts", "row"}
NEWER: Final = "added_by_a_newer_writer"
JSON: Final = TypeAdapter[JsonValue](JsonValue)

every_sample = pytest.mark.parametrize("name", sorted(SAMPLES))


def read(name: str, raw: bytes | None = None) -> Value:
    return CLASSES[name.partition(".")[0]].model_validate_json(
        SAMPLES[name] if raw is None else raw
    )


def kinds(union: object) -> set[object]:
    """The classes of a discriminated union."""
    return set(get_args(get_args(union)[0]))


def from_the_future(value: JsonValue) -> JsonValue:
    """The same, with a field nobody knows in every object."""
    if isinstance(value, list):
        return [from_the_future(item) for item in value]
    if not isinstance(value, dict):
        return value
    inner = {name: item if name in FREE else from_the_future(item) for name, item in value.items()}
    return inner | {NEWER: {"nested": [1]}}


@every_sample
def test_fault_35_60_a_sample_is_read_and_written_back_equal(name: str) -> None:
    written = read(name).model_dump_json(exclude_none=True, exclude_unset=True)

    assert json.loads(written) == json.loads(SAMPLES[name])


@every_sample
def test_what_is_written_from_a_sample_today_means_the_same(name: str) -> None:
    heard = read(name)

    assert read(name, heard.model_dump_json(exclude_none=True).encode()) == heard


@every_sample
def test_fault_35_60_a_field_of_a_newer_writer_changes_nothing(name: str) -> None:
    newer = json.dumps(from_the_future(JSON.validate_json(SAMPLES[name]))).encode()

    assert NEWER.encode() in newer
    assert read(name, newer) == read(name)


def test_messages_are_read_as_their_readers_read_them() -> None:
    messages = [cls for cls in CLASSES.values() if issubclass(cls, Message)]

    for cls in messages:
        for raw in samples.of(cls):
            assert cls.read(cls.read(raw).wire()) == cls.read(raw)


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
def test_everything_that_travels_has_a_sample(cls: type[Value]) -> None:
    assert samples.of(cls)


def test_every_sample_is_of_a_class_that_travels() -> None:
    assert {name.partition(".")[0] for name in SAMPLES} == set(CLASSES)


@cache
def shown_fields() -> dict[type[BaseModel], set[str]]:
    """Which fields of which class some sample carries."""
    shown: dict[type[BaseModel], set[str]] = {}
    for name in SAMPLES:
        for model in models_in(read(name)):
            shown.setdefault(type(model), set()).update(model.model_fields_set)
    return shown


@pytest.mark.parametrize("cls", values().values(), ids=values())
def test_every_field_of_every_class_stands_in_a_sample(cls: type[Value]) -> None:
    assert set(cls.model_fields) - shown_fields()[cls] == set()


@pytest.mark.parametrize(
    "holder,field,union",
    [
        ("SubmissionOutcome", "result", SubmissionResult),
        ("DeliveryOutcome", "result", DeliveryResult),
        ("DeliveryRequested", "action", Action),
    ],
)
def test_every_kind_of_a_choice_has_a_sample(holder: str, field: str, union: object) -> None:
    found = {type(getattr(read(name), field)) for name in SAMPLES if name.startswith(f"{holder}.")}

    assert found == kinds(union)
