"""The reconciler and the frozen messages: it reads what it is asked and is read when it reports."""

from datetime import UTC, datetime

import pytest

from chassis.bus import Delivered
from contracts import samples
from contracts.polls import PollRequested
from contracts.reports import ReportReceived
from kie.values import Media, Reading, State
from reconciler import domain
from reconciler.handlers import _read
from reconciler_bench import requested

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
REPORTS = [ReportReceived.read(raw) for raw in samples.of(ReportReceived)]
POLLS = [report for report in REPORTS if report.origin == "poll"]
READING = Reading(
    task_id="task-1", state=State.SUCCEEDED, media=(Media(kind="image", url="https://e.x/a.png"),)
)


def delivered(raw: bytes) -> Delivered:
    return Delivered(
        subject="polls.requested",
        data=raw,
        headers={},
        num_delivered=1,
        stream_seq=1,
        timestamp=NOW,
    )


@pytest.mark.parametrize("raw", samples.of(PollRequested))
def test_every_request_that_travels_is_read_and_answered(raw: bytes) -> None:
    request = _read(delivered(raw))

    report = domain.report_of(request, domain.Answer(b"{}", READING), now=NOW)

    assert report.poll is not None
    assert report.poll.attempt_id == request.attempt.id
    assert report.trace == request.trace


@pytest.mark.parametrize("state", State)
def test_every_report_it_makes_has_the_fields_of_a_frozen_poll(state: State) -> None:
    answer = domain.Answer(b"{}", Reading(task_id="task-1", state=state))
    made = domain.report_of(requested("task-1"), answer, now=NOW)

    read = ReportReceived.read(made.wire())
    assert read == made
    assert any(read.model_fields_set <= frozen.model_fields_set for frozen in POLLS)


@pytest.mark.parametrize("frozen", POLLS, ids=lambda one: one.reading.state)
def test_the_frozen_polls_name_states_it_can_say(frozen: ReportReceived) -> None:
    assert frozen.reading.state.value in {state.value for state in State}
    assert frozen.id.split(":")[0] == "poll"
