"""Laws of compatibility: each way to break a reader is found, named and judged; what breaks nobody is let through."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, JsonValue, create_model

from compatibility import Change, Verdict, changes, fingerprint, told_by_others
from contracts.documents.schemas import Document, definitions
from contracts.message import Value
from frozen import current, requests

ALLOWED, NEEDS_VERSION, REFUSED = Verdict.ALLOWED, Verdict.NEEDS_VERSION, Verdict.REFUSED
TODAY: Final = current()


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Shade(StrEnum):
    RED = "red"
    BLUE = "blue"
    GREEN = "green"


class Square(Value):
    kind: Literal["square"] = "square"


class Circle(Value):
    kind: Literal["circle"] = "circle"


class Star(Value):
    kind: Literal["star"] = "star"


Two = Annotated[Square | Circle, Field(discriminator="kind")]
Three = Annotated[Square | Circle | Star, Field(discriminator="kind")]
Named = Annotated[str, Field(min_length=1, max_length=10, pattern="^[a-z]+$")]
Spelled = tuple[object, object]  # a field as pydantic takes it: its type, and `...` or a default


def number(default: int = 1, **bounds: Any) -> Spelled:
    return Annotated[int, Field(**bounds)], default


def word(**bounds: Any) -> Any:
    return Annotated[str, Field(**bounds)]


def several(item: Any, *, at_most: int) -> Spelled:
    return Annotated[tuple[item, ...], Field(max_length=at_most)], ()


def table(keys: Any, said: Any) -> Spelled:
    return dict[keys, said], Field(default_factory=dict)


KEY: Final = word(max_length=10)
# As it stands before each change: required, optional, choices, lists, maps.
BEFORE: Final[dict[str, Spelled]] = {
    "name": (Named, ...),
    "count": number(ge=0, le=10),
    "colour": (Literal["red", "blue"], "red"),
    "note": (str | None, None),
    "owner": (UUID, ...),
    "shape": (Two, ...),
    "words": several(Named, at_most=5),
    "labels": table(KEY, Named),
}
NO_PATTERN: Final = word(min_length=1, max_length=10)
OTHER: Final = Annotated[str, Field(min_length=1, max_length=10, pattern="^[a-y]+$")]
# How the field is afterwards (None: gone), what that is called, and how it is judged when it is told.
CASES: Final[dict[str, tuple[str, Spelled | None, str, Verdict]]] = {
    "a field is removed": ("note", None, "field_removed", REFUSED),
    "a required field is removed": ("owner", None, "field_removed", REFUSED),
    "a required field is added": ("extra", (str, ...), "required_field_added", REFUSED),
    "an optional field is added": ("extra", (str | None, None), "optional_field_added", ALLOWED),
    "an optional one is required": ("note", (str | None, ...), "field_became_required", REFUSED),
    "a required one is optional": ("name", (Named, "x"), "field_became_optional", NEEDS_VERSION),
    "a default changes": ("count", number(ge=0, le=10, default=2), "default_changed", REFUSED),
    "a lower bound rises": ("count", number(ge=1, le=10), "bound_narrowed", REFUSED),
    "an upper bound falls": ("count", number(ge=0, le=9), "bound_narrowed", REFUSED),
    "a first bound": ("note", (Annotated[str, Field(max_length=9)] | None, None), "bound_narrowed", REFUSED),
    "a shorter list": ("words", several(Named, at_most=4), "bound_narrowed", REFUSED),
    "a lower bound falls": ("count", number(ge=-1, le=10), "bound_widened", ALLOWED),
    "an upper bound rises": ("count", number(ge=0, le=11), "bound_widened", ALLOWED),
    "a bound is taken away": ("count", number(ge=0), "bound_widened", ALLOWED),
    "a pattern changes": ("name", (OTHER, ...), "pattern_changed", REFUSED),
    "a pattern is taken away": ("name", (NO_PATTERN, ...), "pattern_removed", ALLOWED),
    "a value is removed": ("colour", (Literal["red"], "red"), "value_removed", REFUSED),
    "a value is added": ("colour", (Literal["red", "blue", "x"], "red"), "value_added", NEEDS_VERSION),
    "text becomes a choice": ("note", (Literal["a", "b"] | None, None), "type_narrowed", REFUSED),
    "a choice becomes text": ("colour", (str, "red"), "type_widened", NEEDS_VERSION),
    "null is no longer taken": ("note", (str, ""), "kind_removed", REFUSED),
    "null is taken": ("owner", (UUID | None, ...), "kind_added", NEEDS_VERSION),
    "another type": ("count", (str, "1"), "kind_removed", REFUSED),
    "any number will do": ("count", (float, 1), "kind_removed", REFUSED),
    "an id becomes any text": ("owner", (str, ...), "kind_removed", REFUSED),
    "a kind is removed": ("shape", (Square, ...), "kind_removed", REFUSED),
    "a kind is added": ("shape", (Three, ...), "kind_added", NEEDS_VERSION),
    "an item is narrowed": ("words", several(Literal["a"], at_most=5), "type_narrowed", REFUSED),
    "a map's values are narrowed": ("labels", table(KEY, Literal["a"]), "type_narrowed", REFUSED),
    "a map's keys are narrowed": ("labels", table(word(max_length=9), Named), "bound_narrowed", REFUSED),
    "a word without a rule": ("count", number(ge=0, le=10, multiple_of=2), "unknown_word_changed", REFUSED),
}  # fmt: skip


def told(**fields: Spelled) -> dict[str, Document]:
    """The schemas of a class called Told that has these fields."""
    made: type[BaseModel] = create_model("Told", __base__=Value, **fields)  # type: ignore[call-overload]  # fields as pydantic takes them
    return fingerprint(definitions([made, Square, Circle, Star], ref_template="{model}"))


def afterwards(name: str, after: Spelled | None) -> dict[str, Spelled]:
    return {} if after is None else {name: after}


def found(
    before: dict[str, Document], after: dict[str, Document], **asked: set[str]
) -> set[Change]:
    return set(changes(before, after, requests=asked.get("requests", set())))


@pytest.mark.parametrize("case", CASES)
def test_a_changed_field_is_named_and_judged(case: str) -> None:
    name, after, change, verdict = CASES[case]
    fields = {key: one for key, one in BEFORE.items() if key != name}

    seen = found(told(**BEFORE), told(**fields, **afterwards(name, after)))

    assert (change, verdict) in {(one.name, one.verdict) for one in seen}
    assert max(one.verdict for one in seen) == verdict or verdict is REFUSED
    assert all(one.at.startswith(f"Told.{name}") for one in seen)


@pytest.mark.parametrize("case", [case for case, row in CASES.items() if row[3] is NEEDS_VERSION])
def test_what_only_job_store_reads_may_learn_new_words(case: str) -> None:
    name, after, _, _ = CASES[case]
    asked = {"Told", "Square", "Circle", "Star"}

    seen = found(told(**BEFORE), told(**{**BEFORE, **afterwards(name, after)}), requests=asked)

    assert {one.verdict for one in seen} == {ALLOWED}


@pytest.mark.parametrize("case", [case for case, row in CASES.items() if row[3] is REFUSED])
def test_what_breaks_an_old_message_is_refused_in_a_request_too(case: str) -> None:
    name, after, change, _ = CASES[case]
    fields = {key: one for key, one in BEFORE.items() if key != name}

    seen = found(told(**BEFORE), told(**fields, **afterwards(name, after)), requests={"Told"})

    assert (change, REFUSED) in {(one.name, one.verdict) for one in seen}


def test_a_renamed_field_is_one_removed_and_one_added() -> None:
    renamed = {("title" if key == "name" else key): one for key, one in BEFORE.items()}

    assert {(one.name, one.at) for one in found(told(**BEFORE), told(**renamed))} == {
        ("field_removed", "Told.name"),
        ("required_field_added", "Told.title"),
    }


def test_a_class_may_come_but_not_go() -> None:
    both = fingerprint(definitions([Square, Circle], ref_template="{model}"))
    one = fingerprint(definitions([Square], ref_template="{model}"))

    assert found(one, both) == {Change("class_added", "Circle", ALLOWED)}
    assert found(both, one) == {Change("class_removed", "Circle", REFUSED)}


def test_a_listed_word_of_its_own_class_is_judged_alike() -> None:
    few = told(colour=(Colour, ...))
    many = {**few, "Colour": told(colour=(Shade, ...))["Shade"]}

    assert found(few, many) == {Change("value_added", "Colour: 'green'", NEEDS_VERSION)}
    assert found(many, few) == {Change("value_removed", "Colour: 'green'", REFUSED)}


def test_words_for_people_may_change_and_order_means_nothing() -> None:
    described = {**BEFORE, "note": (Annotated[str | None, Field(description="better said")], None)}

    assert found(told(**BEFORE), told(**dict(reversed(described.items())))) == set()


def test_today_is_compatible_with_itself() -> None:
    assert changes(TODAY, TODAY, requests=requests()) == []


def fields_of_today() -> Iterator[tuple[str, str]]:
    for name, schema in TODAY.items():
        for field in _mapping(schema.get("properties")):
            yield name, field


def _mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def without(name: str, field: str) -> dict[str, Document]:
    schema = TODAY[name]
    kept = {key: one for key, one in _mapping(schema["properties"]).items() if key != field}
    return {name: {**schema, "properties": kept}}


def only(name: str) -> dict[str, Document]:
    return {name: TODAY[name]}


def test_no_field_of_today_can_be_taken_away() -> None:
    for name, field in fields_of_today():
        seen = changes(only(name), without(name, field), requests=requests())

        assert Change("field_removed", f"{name}.{field}", REFUSED) in seen


def test_no_value_of_today_can_be_taken_away() -> None:
    listed = {name: schema["enum"] for name, schema in TODAY.items() if "enum" in schema}

    assert listed
    for name, values in listed.items():
        assert isinstance(values, list)
        for value in values:
            fewer = {**TODAY[name], "enum": [one for one in values if one != value]}
            seen = changes(only(name), {name: fewer}, requests=requests())

            assert seen == [Change("value_removed", f"{name}: {value!r}", REFUSED)]


def test_no_optional_field_of_today_can_become_required() -> None:
    for name, field in fields_of_today():
        needed = TODAY[name].get("required", [])
        assert isinstance(needed, list)
        if field not in needed:
            stricter = {name: {**TODAY[name], "required": [*needed, field]}}
            seen = changes(only(name), stricter, requests=requests())

            assert seen == [Change("field_became_required", f"{name}.{field}", REFUSED)]


def test_what_bots_and_services_hear_is_told_and_what_only_job_store_hears_is_not() -> None:
    heard = told_by_others(TODAY, requests=requests())

    assert {"ReportReceived", "RefusalName", "JobView", "JobState", "Content", "Go"} <= heard
    # Part of a request, and of a message too.
    assert {"Button", "Entity", "ReportedMedia"} <= heard
    assert heard & requests() == set()
