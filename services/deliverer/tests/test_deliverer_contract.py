"""The deliverer and the frozen messages: it reads what it is asked and is read when it answers."""

from datetime import UTC, datetime

import pytest

from contracts import samples
from contracts.deliveries import DeliveryOutcome, DeliveryRequested, Show, Stage
from contracts.effects import Carried, Go, Stop
from deliverer.domain.answers import BotStopped, Moved, Unclear, Unsent, Wait
from deliverer.domain.reports import Report, outcome_of, too_late, unknown
from deliverer.domain.results import result_of

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
REQUESTS = [DeliveryRequested.read(raw) for raw in samples.of(DeliveryRequested)]
FROZEN = [DeliveryOutcome.read(raw) for raw in samples.of(DeliveryOutcome)]
KNOWN = {field for frozen in FROZEN for field in frozen.model_fields_set}
ANSWERS = (Unsent("reset"), Unclear("no answer"), Wait("429", 3.0), Moved(-42), BotStopped("401"))


def told(request: DeliveryRequested, report: Report) -> DeliveryOutcome:
    """What job-store reads of it."""
    outcome = outcome_of(request, report, at=NOW)
    read = DeliveryOutcome.read(outcome.wire())
    assert read == outcome
    assert read.model_fields_set <= KNOWN
    return read


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda one: one.action.kind)
def test_every_request_that_travels_can_be_answered(request_: DeliveryRequested) -> None:
    for report in (too_late(request_, redelivered=False), unknown(request_, "nobody knows")):
        read = told(request_, report)

        assert (read.attempt_id, read.chat_id) == (request_.attempt.id, request_.chat_id)
        assert (read.part_id is not None) is isinstance(request_.action, Show | Stage)


@pytest.mark.parametrize("frozen", FROZEN, ids=lambda one: one.result.kind)
def test_every_frozen_outcome_is_one_it_can_tell(frozen: DeliveryOutcome) -> None:
    report = Report(
        result=frozen.result,
        carrier_id=frozen.carrier_id,
        stray_ids=frozen.stray_ids,
        edit_maybe_applied=frozen.edit_maybe_applied,
    )
    read = told(REQUESTS[0], report)

    assert read.result == frozen.result
    assert (read.carrier_id, read.stray_ids) == (frozen.carrier_id, frozen.stray_ids)


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda one: type(one).__name__)
def test_what_telegram_said_becomes_a_kind_that_is_frozen(
    answer: Unsent | Unclear | Wait | Moved | BotStopped,
) -> None:
    result = result_of(answer)

    assert result.kind in {frozen.result.kind for frozen in FROZEN}
    assert told(REQUESTS[0], Report(result=result)).result == result


def test_the_question_before_a_carrier_is_filled_and_its_answers_are_read() -> None:
    (frozen,) = samples.of(Carried)

    assert Carried.model_validate_json(frozen).message_id
    assert {Go.model_validate_json(raw).go for raw in samples.of(Go)} == {True}
    assert {Stop.model_validate_json(raw).go for raw in samples.of(Stop)} == {False}
