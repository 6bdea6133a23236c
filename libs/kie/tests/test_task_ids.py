"""The task id stands in four documented places, which must agree."""

import json
from itertools import combinations
from typing import Any

import pytest

from kie.reading import Step, read_callback

PLACES = ("data.taskId", "data.task_id", "taskId", "task_id")
PAIRS = tuple(combinations(PLACES, 2))


def body(ids: dict[str, Any]) -> bytes:
    message: dict[str, Any] = {"code": 200, "data": {"state": "success", "resultJson": "[]"}}
    for place, value in ids.items():
        holder = message["data"] if place.startswith("data.") else message
        holder[place.removeprefix("data.")] = value
    return json.dumps(message).encode()


@pytest.mark.parametrize("place", PLACES)
def test_each_place_alone(place: str) -> None:
    reading = read_callback(body({place: "t1"}))

    assert reading.task_id == "t1"
    assert Step("task_id", place) in reading.trace


@pytest.mark.parametrize("places", PAIRS)
def test_two_places_that_agree(places: tuple[str, str]) -> None:
    assert read_callback(body(dict.fromkeys(places, "t1"))).task_id == "t1"


@pytest.mark.parametrize("places", PAIRS)
def test_two_places_that_disagree(places: tuple[str, str]) -> None:
    reading = read_callback(body(dict(zip(places, ("t1", "t2"), strict=True))))

    assert reading.task_id is None
    assert "task_id_conflict" in reading.anomalies


def test_one_key_standing_twice_with_two_values() -> None:
    reading = read_callback(b'{"code":200,"taskId":"a","taskId":"b","data":{}}')

    assert reading.task_id is None
    assert set(reading.anomalies) >= {"task_id_conflict", "duplicate_key"}


@pytest.mark.parametrize(
    "value", ["a\x00b", "\ud800", "a\nb", " a", "x" * 257, ["t"], {"id": "t"}, True, 1.5]
)
def test_what_cannot_be_an_id_is_none(value: object) -> None:
    reading = read_callback(body({"taskId": value}))

    assert reading.task_id is None
    assert "task_id_malformed" in reading.anomalies


@pytest.mark.parametrize("value", [None, ""])
def test_an_empty_place_says_nothing(value: str | None) -> None:
    assert read_callback(body({"taskId": value, "data.task_id": "t1"})).task_id == "t1"
    assert "no_task_id" in read_callback(body({"taskId": value})).anomalies


def test_no_other_place_is_searched() -> None:
    message = {"code": 200, "id": "x", "data": {"id": "x", "info": {"taskId": "x"}}}

    assert read_callback(json.dumps(message).encode()).task_id is None
