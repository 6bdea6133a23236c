"""KIE's answer to a poll as a report that always validates. Pure: no clock, no network."""

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from contracts.polls import PollRequested
from contracts.reports import PollClaim, ReportReceived
from kie import reported, tokens
from kie.values import Reading

# With base64 and the reading the report stays below NATS' payload limit of 1 MiB.
MAX_BODY: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What one poll brought: the bytes, possibly none, and our reading of them."""

    body: bytes
    reading: Reading


def report_of(request: PollRequested, answer: Answer, *, now: datetime) -> ReportReceived:
    """Make the fact a callback makes; the same answer to the same question gets the same id."""
    digest = sha256(answer.body).hexdigest()
    reading = reported.reading_of(answer.reading)
    return ReportReceived(
        id=f"poll:{request.attempt.id}:{reading.state}:{digest[:16]}",
        at=now,
        trace=request.trace,
        origin="poll",
        received_at=now,
        # the field is read from its wire form
        body=b64encode(tokens.hidden(answer.body)[:MAX_BODY]),
        body_digest=digest,
        truncated=len(answer.body) > MAX_BODY,
        reading=reading,
        poll=PollClaim(
            attempt_id=request.attempt.id,
            job_id=request.job_id,
            account=request.account,
            family=request.family,
            operation=request.operation,
            task_id=request.task_id,
        ),
    )
