"""The streams of the bus and who reads them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

REPORTS: Final = "REPORTS"
SUBMISSIONS: Final = "SUBMISSIONS"
DELIVERIES: Final = "DELIVERIES"
POLLS: Final = "POLLS"
OUTCOMES: Final = "OUTCOMES"
JOBS: Final = "JOBS"

MIB: Final = 2**20
DEDUPE: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One stream of the bus."""

    name: str
    subjects: tuple[str, ...]
    description: str
    max_age: timedelta | None  # None: a message never ages out
    max_bytes: int
    duplicate_window: timedelta = DEDUPE
    discard: Literal["new", "old"] = "new"  # a full stream refuses, rather than forget


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """One durable reader of one subject."""

    stream: str
    durable: str
    subject: str
    ack_wait: timedelta
    max_ack_pending: int


STREAMS: Final = (
    Stream(
        name=REPORTS,
        subjects=("reports.received",),
        description="callbacks and poll answers; an unread one must never age out",
        max_age=None,
        max_bytes=1024 * MIB,
    ),
    Stream(
        name=SUBMISSIONS,
        subjects=("submissions.requested",),
        description="createTask calls due now",
        max_age=timedelta(days=2),
        max_bytes=256 * MIB,
    ),
    Stream(
        name=DELIVERIES,
        subjects=("deliveries.requested",),
        description="Telegram calls due now",
        max_age=timedelta(days=2),
        max_bytes=256 * MIB,
    ),
    Stream(
        name=POLLS,
        subjects=("polls.requested",),
        description="recordInfo calls due now",
        max_age=timedelta(days=2),
        max_bytes=128 * MIB,
    ),
    Stream(
        name=OUTCOMES,
        subjects=("submissions.outcome", "deliveries.outcome"),
        description="what came of each attempt; room of its own, so that full requests never block the way back",
        max_age=None,
        max_bytes=512 * MIB,
    ),
    Stream(
        name=JOBS,
        subjects=("jobs.*.*", "orphans.*"),
        description="what became of each job, for the bots; Postgres keeps the same for longer",
        max_age=timedelta(days=3),
        max_bytes=512 * MIB,
        discard="old",  # what a bot missed it reads from Postgres
    ),
)

# An effect message is useless once its lease is over, so its redelivery only tidies up: job-store's clock
# releases the effect again. ack_wait exceeds the usual call, so that few come twice; nothing depends on it.
EFFECT_ACK_WAIT: Final = timedelta(seconds=120)
# What a killed job-store had fetched comes again after this; a batch takes some ten milliseconds.
STORE_ACK_WAIT: Final = timedelta(seconds=10)

CONSUMERS: Final = (
    Consumer(
        stream=REPORTS,
        durable="job-store-reports",
        subject="reports.received",
        ack_wait=STORE_ACK_WAIT,
        max_ack_pending=2_000,
    ),
    Consumer(
        stream=OUTCOMES,
        durable="job-store-submissions",
        subject="submissions.outcome",
        ack_wait=STORE_ACK_WAIT,
        max_ack_pending=2_000,
    ),
    Consumer(
        stream=OUTCOMES,
        durable="job-store-deliveries",
        subject="deliveries.outcome",
        ack_wait=STORE_ACK_WAIT,
        max_ack_pending=2_000,
    ),
    Consumer(
        stream=SUBMISSIONS,
        durable="submitter",
        subject="submissions.requested",
        ack_wait=EFFECT_ACK_WAIT,
        max_ack_pending=500,
    ),
    Consumer(
        stream=DELIVERIES,
        durable="deliverer",
        subject="deliveries.requested",
        ack_wait=EFFECT_ACK_WAIT,
        max_ack_pending=2_000,
    ),
    Consumer(
        stream=POLLS,
        durable="reconciler",
        subject="polls.requested",
        ack_wait=EFFECT_ACK_WAIT,
        max_ack_pending=500,
    ),
)

CONSUMER: Final = {consumer.durable: consumer for consumer in CONSUMERS}


def stream_of(subject: str) -> str:
    """Return the stream that stores a subject; raises ``KeyError`` for one that no stream stores."""
    if subject.startswith(("jobs.", "orphans.")):
        return JOBS
    return _STREAM_OF[subject]


_STREAM_OF: Final = {subject: stream.name for stream in STREAMS for subject in stream.subjects}
