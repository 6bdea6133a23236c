"""Job-store and the frozen messages: it reads what travels, and writes nothing nobody expects."""

import json
from collections.abc import Iterator

import pytest
from pydantic import JsonValue

from chassis.bus import Delivered
from contracts import samples, subjects
from contracts.deliveries import DeliveryOutcome, DeliveryRequested
from contracts.events import JobEvent, OrphanEvent
from contracts.message import Message
from contracts.polls import PollRequested
from contracts.reports import ReportReceived
from contracts.submissions import SubmissionOutcome, SubmissionRequested
from job_store.api import Verb, worker_verbs
from job_store.handlers import _read
from job_store.store.schema import Schema
from job_store.verbs import BotVerbs, OpsVerbs
from store_kit import NOW, Store, callback, create

EVENTS = (JobEvent, OrphanEvent)
EMITTED: dict[str, type[Message]] = {
    subjects.SUBMISSION_REQUESTED: SubmissionRequested,
    subjects.DELIVERY_REQUESTED: DeliveryRequested,
    subjects.POLL_REQUESTED: PollRequested,
}


def delivered(raw: bytes) -> Delivered:
    return Delivered(
        subject="s", data=raw, headers={}, num_delivered=1, stream_seq=1, timestamp=NOW
    )


def kind_of(subject: str) -> type[Message]:
    return EMITTED.get(subject, EVENTS[subject.startswith("orphans.")])


def paths(value: JsonValue, at: str = "") -> Iterator[str]:
    """Name every field that stands in a message; what a bot put into ``input`` is its own."""
    if isinstance(value, dict) and not at.endswith(".input"):
        for name, inner in value.items():
            yield f"{at}.{name}"
            yield from paths(inner, f"{at}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, at)


@pytest.mark.parametrize("cls", [ReportReceived, SubmissionOutcome, DeliveryOutcome])
def test_every_fact_that_travels_is_read(cls: type[Message]) -> None:
    for raw in samples.of(cls):
        assert _read(cls, delivered(raw)).wire() == cls.read(raw).wire()


async def test_every_question_that_travels_is_read(store: Store) -> None:
    verbs: list[Verb] = worker_verbs(store.effects)
    verbs += BotVerbs(store.creations, store.requests, store.effects).table()
    verbs += OpsVerbs(store.ops, store.requests, store.resuming, Schema(store.database)).table()
    for verb in verbs:
        assert [verb.request.model_validate_json(raw) for raw in samples.of(verb.request)], (
            verb.name
        )


async def test_whatever_is_written_looks_like_a_frozen_message(store: Store) -> None:
    await store.report(callback(None, task_id="task-of-nobody"))
    await store.topup(1_000)
    job_id = await store.running(create(price=300, status="auto"))
    await store.claimed()  # a poll
    await store.report(callback(job_id))
    await store.show_all()
    assert {kind_of(row.subject) for row in store.offered} == {*EMITTED.values(), *EVENTS}
    for row in store.offered:
        cls = kind_of(row.subject)
        frozen = {path for raw in samples.of(cls) for path in paths(json.loads(raw))}
        assert set(paths(json.loads(row.payload))) <= frozen, row.subject
        assert cls.read(row.payload).id == row.msg_id
