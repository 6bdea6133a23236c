"""Laws of the stream table: every subject is stored exactly once, and whoever reads it is named."""

from typing import Final

import pytest

from contracts import streams, subjects
from contracts.events import JobEventName, OrphanEventName
from contracts.streams import CONSUMERS, STREAMS, Consumer, Stream, stream_of

STORED: Final = (
    subjects.REPORT_RECEIVED,
    subjects.SUBMISSION_REQUESTED,
    subjects.SUBMISSION_OUTCOME,
    subjects.DELIVERY_REQUESTED,
    subjects.DELIVERY_OUTCOME,
    subjects.POLL_REQUESTED,
    *(subjects.job_event(event, "shop") for event in JobEventName),
    *(subjects.orphan_event(event) for event in OrphanEventName),
)
ASKED: Final = (
    subjects.EFFECT_BEGIN,
    subjects.EFFECT_CARRIED,
    *(subjects.api("shop", verb) for verb in subjects.API_VERBS),
    *(subjects.ops(verb) for verb in subjects.OPS_VERBS),
)


def matches(pattern: str, subject: str) -> bool:
    """As NATS matches; the table uses no ``>``."""
    wanted, tokens = pattern.split("."), subject.split(".")
    return len(wanted) == len(tokens) and all(
        one in ("*", token) for one, token in zip(wanted, tokens, strict=True)
    )


def storing(subject: str) -> list[str]:
    return [
        stream.name
        for stream in STREAMS
        if any(matches(pattern, subject) for pattern in stream.subjects)
    ]


@pytest.mark.parametrize("subject", STORED)
def test_a_stored_subject_has_exactly_one_stream_and_it_is_found(subject: str) -> None:
    assert storing(subject) == [stream_of(subject)]


@pytest.mark.parametrize("subject", ASKED)
def test_a_question_is_stored_nowhere(subject: str) -> None:
    assert storing(subject) == []
    with pytest.raises(KeyError):
        stream_of(subject)


def test_events_of_jobs_and_orphans_are_kept_together() -> None:
    assert stream_of(subjects.job_event("created", "shop")) == streams.JOBS
    assert stream_of(subjects.orphan_event("waiting")) == streams.JOBS


def test_names_and_subjects_are_given_once() -> None:
    patterns = [subject for stream in STREAMS for subject in stream.subjects]

    assert len({stream.name for stream in STREAMS}) == len(STREAMS)
    assert len(set(patterns)) == len(patterns)
    assert len(streams.CONSUMER) == len(CONSUMERS)


@pytest.mark.parametrize("consumer", CONSUMERS, ids=lambda one: one.durable)
def test_a_consumer_reads_a_subject_of_its_own_stream(consumer: Consumer) -> None:
    assert stream_of(consumer.subject) == consumer.stream


def test_every_subject_between_services_has_exactly_one_reader() -> None:
    between = [
        subject for stream in STREAMS if stream.name != streams.JOBS for subject in stream.subjects
    ]

    assert sorted(consumer.subject for consumer in CONSUMERS) == sorted(between)


@pytest.mark.parametrize("stream", STREAMS, ids=lambda one: one.name)
def test_only_what_postgres_keeps_too_may_be_forgotten(stream: Stream) -> None:
    assert (stream.discard == "old") is (stream.name == streams.JOBS)
    assert stream.max_bytes > 0


@pytest.mark.parametrize("name", [streams.REPORTS, streams.OUTCOMES])
def test_evidence_never_ages_out(name: str) -> None:
    (stream,) = [one for one in STREAMS if one.name == name]

    assert stream.max_age is None
