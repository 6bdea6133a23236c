"""Orders of events that once left a job stuck, lost a result or touched the wrong message."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from case_world import RULES, SHOP, World
from contracts.deliveries import DeliveryRequested, Fresh, Migrated, RefusalCode, Show, Shown
from contracts.outcomes import Ambiguous, NotSent, Refused
from contracts.polls import PollRequested
from contracts.reports import ReportedMedia, ReportReceived, ReportState
from contracts.submissions import SubmissionRequested, TaskCreated
from contracts.values import JobState, MediaKind, PartState
from job_store.domain import delivery, lifecycle, texts
from job_store.domain.reports import Trust
from job_store.domain.rows import LIVE, EffectKind, EffectState
from store_kit import callback, create, deliver, expect, images, polled


def claim(world: World, *, after: float = 0) -> list[UUID]:
    """Claim what is due after a while; returns the new attempts."""
    world.now += timedelta(seconds=after)
    before = set(world.attempts)
    for effect in world.due():
        world.claim(effect)
    return [id_ for id_ in world.attempts if id_ not in before]


def asked(world: World, attempt_id: UUID) -> DeliveryRequested:
    request = world.attempts[attempt_id].request
    assert isinstance(request, DeliveryRequested)
    return request


def polls(world: World) -> list[PollRequested]:
    """Claim what is due in a moment; returns what the reconciler is asked."""
    requests = [world.attempts[id_].request for id_ in claim(world, after=5)]
    return [request for request in requests if isinstance(request, PollRequested)]


def report(world: World, **fields: object) -> None:
    """Apply a trusted callback."""
    world.report(callback(world.job.id, **fields), Trust.TRUSTED)


def refused(code: RefusalCode) -> Refused:
    return Refused(code=code, reason="no")


def running(**fields: object) -> World:
    world = World(create(**fields))
    (attempt_id,) = [
        id_ for id_ in claim(world) if isinstance(world.attempts[id_].request, SubmissionRequested)
    ]
    world.submitted(attempt_id, attempt_id, TaskCreated(task_id="t"))
    return world


def expired(**fields: object) -> World:
    world = running(**fields)
    world.now += timedelta(hours=2)
    world.expire()
    assert world.job.state is JobState.EXPIRED
    return world


# -- tasks -------------------------------------------------------------------------------------------


def test_a_task_known_by_its_report_is_not_submitted_again():
    world = World(create())
    (attempt_id,) = claim(world)
    world.submitted(attempt_id, attempt_id, NotSent(reason="wrongly"))

    report(world, state=ReportState.PROGRESS, task_id="t")

    assert world.job.state is JobState.RUNNING
    assert all(
        isinstance(world.attempts[id_].request, PollRequested) for id_ in claim(world, after=60)
    )


def test_a_refusal_after_the_tasks_own_report_does_not_fail_the_job():
    world = World(create())
    (attempt_id,) = claim(world)
    world.begin(attempt_id, attempt_id)
    report(world, state=ReportState.PROGRESS, task_id="t")

    world.submitted(attempt_id, attempt_id, Refused(code="500", reason="no"))

    assert world.job.state is JobState.RUNNING


def test_the_failure_of_an_earlier_task_does_not_fail_the_later_one():
    world = World(expect())
    for task_id in ("first", "second"):
        world.step(lambda case, id_=task_id: lifecycle.learn(case, id_, RULES))

    report(world, state=ReportState.FAILED, task_id="first")
    assert world.job.state is JobState.RUNNING
    report(world, state=ReportState.FAILED, task_id="second")
    assert world.job.state is JobState.FAILED


def test_every_task_of_a_job_is_asked_about():
    world = World(expect())
    for task_id in ("first", "second"):
        world.step(lambda case, id_=task_id: lifecycle.learn(case, id_, RULES))

    asked_for = []
    for _ in range(3):
        (attempt_id,) = claim(world, after=60)
        request = world.attempts[attempt_id].request
        assert isinstance(request, PollRequested)
        asked_for.append(request.task_id)
        world.report(polled(request, state=ReportState.PROGRESS), Trust.TRUSTED)

    assert asked_for == ["second", "first", "second"]


def test_an_expired_job_is_asked_about_once_for_each_doubtful_report():
    world = expired()
    world.report(callback(world.job.id, task_id="t"), Trust.UNTRUSTED)
    poll = polls(world)[0]

    world.report(polled(poll, state=ReportState.FAILED), Trust.TRUSTED)

    assert not [e for e in world.effects if e.kind is EffectKind.POLL and e.state in LIVE]


def test_a_result_of_blank_text_ends_the_job():
    world = running()
    blank = (ReportedMedia(kind=MediaKind.TEXT, text=" \n"),)
    report(world, media=blank, task_id="t")
    assert world.job.state is JobState.RUNNING

    world.report(polled(polls(world)[0], media=blank), Trust.TRUSTED)

    assert world.job.state is JobState.FAILED


# -- texts -------------------------------------------------------------------------------------------


def test_a_text_is_cut_by_telegrams_measure_and_loses_nothing():
    text = "😀" * 5_000 + "end"
    world = World(deliver(media=(ReportedMedia(kind=MediaKind.TEXT, text=text),)))
    pieces = [part.text for part in sorted(world.parts, key=lambda part: part.ordinal)]
    assert "".join(pieces) == text
    assert max(len(piece.encode("utf-16-le")) // 2 for piece in pieces) <= 4_096


def test_a_bots_own_text_never_outgrows_a_request(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(SHOP.texts, "carrier.image", "long " * 1_000)
    world = World(deliver())
    (attempt_id,) = claim(world)
    action = asked(world, attempt_id).action
    assert isinstance(action, Show)
    assert isinstance(action.carrier, Fresh)
    assert len(action.carrier.text) == texts.LONGEST


# -- notices -----------------------------------------------------------------------------------------


def test_a_late_result_that_cannot_be_shown_is_said():
    world = expired()
    report(world, media=images(1), task_id="t")
    (attempt_id,) = claim(world, after=1)

    world.delivered(attempt_id, refused(RefusalCode.MEDIA_GONE))

    assert world.job.state is JobState.UNDELIVERABLE
    (notice,) = [part for part in world.parts if part.is_notice and part.state is PartState.PENDING]
    assert "could not be shown" in notice.text


def test_a_parked_notice_of_a_failure_is_dropped_when_the_result_comes():
    world = expired()
    (attempt_id,) = claim(world)
    world.delivered(attempt_id, refused(RefusalCode.BLOCKED))

    report(world, media=images(1), task_id="t")
    world.step(delivery.returned)

    assert [asked(world, id_).action.content.kind for id_ in claim(world, after=1)] == [
        MediaKind.IMAGE
    ]


def test_a_cancelled_jobs_status_line_is_not_posted_any_more():
    world = World(create(status="auto"))
    (status,) = [e for e in world.effects if e.kind is EffectKind.STATUS]
    world.claim(status)
    (attempt_id,) = world.attempts
    world.step(lifecycle.cancel)

    world.delivered(attempt_id, NotSent(reason="connect"))

    assert not [e for e in world.effects if e.state in LIVE]


# -- messages ----------------------------------------------------------------------------------------


def test_a_group_that_migrated_keeps_its_new_messages():
    """Ids start anew in the new chat: what was to be tidied up in the old one would hit another message."""
    world = World(deliver(chat_id=-7, media=images(2)))
    (first,) = claim(world)
    world.carried(first)
    world.carried(first)  # a second handling of the same request posts a spare carrier
    assert [e.kind for e in world.effects if e.message_id] == [EffectKind.REMOVE]

    world.delivered(first, Migrated(chat_id=-1_007))
    world.delivered(first, Ambiguous(reason="timeout"), carrier_id=world.chat.post(-7))

    assert not [e for e in world.effects if e.kind is EffectKind.REMOVE and e.state in LIVE]


def test_a_parked_part_of_a_group_that_migrated_gets_a_fresh_carrier():
    world = World(deliver(chat_id=-7, media=images(2)))
    (first,) = claim(world)
    world.carried(first)
    (second,) = claim(world)
    world.delivered(first, refused(RefusalCode.BLOCKED))
    world.delivered(second, Migrated(chat_id=-1_007))

    world.step(delivery.returned)

    carriers = [asked(world, id_).action.carrier.kind for id_ in claim(world, after=1)]
    assert carriers == ["fresh", "fresh"]


def test_a_message_that_shows_the_result_after_all_is_not_deleted():
    world = World(deliver())
    (first,) = claim(world)
    carrier = world.carried(first)
    assert carrier is not None
    world.delivered(first, refused(RefusalCode.CARRIER_GONE), carrier_id=carrier)
    world.delivered(first, Ambiguous(reason="a redelivery"), carrier_id=carrier)
    assert [e.message_id for e in world.effects if e.kind is EffectKind.REMOVE] == [carrier]

    world.delivered(first, Shown(message_id=carrier))

    assert world.job.state is JobState.DELIVERED
    assert [e.state for e in world.effects if e.kind is EffectKind.REMOVE] == [
        EffectState.CANCELLED
    ]


def test_an_unknown_attempts_poll_moves_no_poll():
    world = running()
    claim(world, after=60)
    (poll,) = [a.request for a in world.attempts.values() if isinstance(a.request, PollRequested)]
    stray: ReportReceived = polled(poll, state=ReportState.PROGRESS)
    assert stray.poll is not None
    other = stray.model_copy(update={"poll": stray.poll.model_copy(update={"attempt_id": uuid4()})})

    world.report(other, Trust.TRUSTED)

    assert [e.state for e in world.effects if e.kind is EffectKind.POLL] == [EffectState.ACTING]
