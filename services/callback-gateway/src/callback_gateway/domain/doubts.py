"""Readings that end nothing: what is said of a callback that cannot be relied on."""

from typing import Final

from contracts.reports import Reading, ReportState
from kie.reported import ANOMALIES

BODY_TOO_LARGE: Final = "body_too_large"
NOT_DECLARED_JSON: Final = "not_declared_json"
READING_DROPPED: Final = "reading_dropped"
TASK_UNCLEAR: Final = "task_unclear"

# States that end nothing, so that nothing in them needs to be doubted.
HINTS: Final = frozenset({ReportState.PROGRESS, ReportState.UNKNOWN})


def unread(anomaly: str) -> Reading:
    """Return the reading of a body nobody can or may read: look at this task."""
    return Reading(state=ReportState.UNKNOWN, anomalies=(anomaly,))


def doubted(reading: Reading, anomaly: str) -> Reading:
    """Return the same reading as a hint only: nothing in it may end a job."""
    noted = (anomaly, *reading.anomalies)[:ANOMALIES]
    return reading.model_copy(update={"state": ReportState.UNKNOWN, "anomalies": noted})
