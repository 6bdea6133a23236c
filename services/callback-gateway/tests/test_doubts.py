"""Laws of doubt: a callback that cannot be relied on keeps its task and can end nothing."""

from callback_gateway.domain import doubts
from contracts.reports import Reading, ReportState


def test_a_doubted_reading_keeps_its_task_but_can_end_nothing() -> None:
    heard = Reading(
        task_id="t",
        state=ReportState.SUCCEEDED,
        anomalies=tuple(f"seen_{number}" for number in range(50)),
    )

    doubted = doubts.doubted(heard, doubts.NOT_DECLARED_JSON)

    assert doubted.task_id == "t"
    assert doubted.state is ReportState.UNKNOWN
    assert doubted.anomalies[0] == doubts.NOT_DECLARED_JSON
    assert Reading.model_validate_json(doubted.model_dump_json()) == doubted
