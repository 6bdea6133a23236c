"""Laws of the reconciler's mapping: whatever KIE says fits into a report."""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from contracts.message import Attempt
from contracts.polls import PollRequested
from contracts.reports import ReportReceived
from kie import reported
from kie.values import Media, MediaKind, Reading, State
from reconciler import domain

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NATS_PAYLOAD = 2**20


def requested() -> PollRequested:
    attempt = Attempt(id=uuid4(), no=1, lease=30.0, not_after=NOW + timedelta(minutes=1))
    return PollRequested(
        id=f"poll:{attempt.id}",
        at=NOW,
        attempt=attempt,
        job_id=uuid4(),
        bot="shop",
        account="default",
        family="market",
        operation="generate",
        task_id="a" * 32,
    )


odd = st.sampled_from(
    [
        "\x00",
        "\ud800",
        "",
        "https://",
        "HTTP://x",
        "ftp://x/y",
        "x" * 50_000,
        "https://e.x/" + "y" * 5_000,
    ]
)
strings = st.none() | st.text(max_size=60) | odd
kinds: st.SearchStrategy[MediaKind] = st.sampled_from(["image", "video", "audio", "text", "file"])
links = st.text("abc", max_size=9).map(lambda tail: f"https://cdn.example/{tail}")
media = st.builds(Media, kind=kinds, url=strings | links, text=strings)
readings = st.builds(
    Reading,
    task_id=strings,
    state=st.sampled_from(State),
    media=st.lists(media, max_size=8).map(tuple),
    error_code=strings,
    error_message=strings,
    family=strings,
    progress=st.none() | st.floats(),
    anomalies=st.lists(st.text(max_size=200), max_size=80).map(tuple),
)


@given(reading=readings, body=st.binary(max_size=64))
def test_every_answer_makes_a_valid_report(reading: Reading, body: bytes) -> None:
    report = domain.report_of(requested(), domain.Answer(body, reading), now=NOW)

    assert ReportReceived.read(report.wire()) == report
    assert report.body == body


def test_the_largest_report_fits_into_one_message() -> None:
    media = tuple(Media("text", text="\x01" * reported.TEXT) for _ in range(300))
    reading = Reading(task_id="t", state=State.SUCCEEDED, media=media, error_message="\x01" * 9_000)

    report = domain.report_of(requested(), domain.Answer(b"\xff" * 2_000_000, reading), now=NOW)

    assert len(report.wire()) < NATS_PAYLOAD
    assert report.truncated


def test_a_cut_body_keeps_the_digest_of_the_whole() -> None:
    body = b"x" * (domain.MAX_BODY + 1)

    report = domain.report_of(
        requested(), domain.Answer(body, Reading("t", State.UNKNOWN)), now=NOW
    )

    assert report.truncated
    assert len(report.body) == domain.MAX_BODY
    assert report.body_digest == hashlib.sha256(body).hexdigest()


def test_the_same_answer_to_the_same_question_is_one_fact_and_another_answer_another() -> None:
    request = requested()
    progress = domain.Answer(b"{}", Reading("t", State.PROGRESS))
    success = domain.Answer(b"{}", Reading("t", State.UNKNOWN))

    first = domain.report_of(request, progress, now=NOW)
    again = domain.report_of(request, progress, now=NOW + timedelta(seconds=3))
    other = domain.report_of(request, success, now=NOW)
    asked_again = domain.report_of(requested(), progress, now=NOW)

    assert first.id == again.id
    assert len({first.id, other.id, asked_again.id}) == 3
