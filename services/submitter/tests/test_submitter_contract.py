"""The submitter and the frozen messages: it reads what it is asked and is read when it answers."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from chassis.bus import Delivered
from contracts import samples
from contracts.effects import Begin, Go, Stop
from contracts.submissions import SubmissionOutcome, SubmissionRequested
from submitter import domain
from submitter.effects import _ANSWER
from submitter.handlers import _read
from submitter_bench import requested

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
OUTCOMES = [SubmissionOutcome.read(raw) for raw in samples.of(SubmissionOutcome)]


def delivered(raw: bytes) -> Delivered:
    return Delivered(
        subject="submissions.requested",
        data=raw,
        headers={},
        num_delivered=1,
        stream_seq=1,
        timestamp=NOW,
    )


@pytest.mark.parametrize("raw", samples.of(SubmissionRequested))
def test_every_request_that_travels_is_read_and_answered(raw: bytes) -> None:
    request = _read(delivered(raw))

    outcome = domain.outcome_of(request, OUTCOMES[0].result, holder=uuid4(), now=NOW)

    assert (outcome.attempt_id, outcome.job_id) == (request.attempt.id, request.job_id)
    assert outcome.trace == request.trace


@pytest.mark.parametrize("frozen", OUTCOMES, ids=lambda one: one.result.kind)
def test_every_outcome_it_tells_has_the_fields_of_the_frozen_one(frozen: SubmissionOutcome) -> None:
    told = domain.outcome_of(requested(), frozen.result, holder=frozen.holder, now=NOW)

    read = SubmissionOutcome.read(told.wire())
    assert read == told
    assert read.result == frozen.result
    assert read.model_fields_set - frozen.model_fields_set == set()


@pytest.mark.parametrize("cls", [Go, Stop])
def test_every_answer_to_begin_is_read(cls: type[Go | Stop]) -> None:
    for raw in samples.of(cls):
        assert _ANSWER.validate_json(raw) == cls.model_validate_json(raw)


@pytest.mark.parametrize("raw", [b'{"reason":"no"}', b'{"lease":30}', b'{"go":true}', b"?"])
def test_what_says_neither_go_nor_stop_is_no_answer(raw: bytes) -> None:
    with pytest.raises(ValueError):
        _ANSWER.validate_json(raw)


def test_the_question_it_asks_is_the_frozen_one() -> None:
    (frozen,) = [Begin.model_validate_json(raw) for raw in samples.of(Begin)]
    asked = Begin(attempt_id=uuid4(), holder=uuid4(), not_after=NOW)

    heard = Begin.model_validate_json(asked.model_dump_json())
    assert heard == asked
    assert heard.model_fields_set == frozen.model_fields_set
