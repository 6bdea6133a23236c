"""The status line while a job runs: the latest word, in spare slots, never over a result."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from case_world import RULES, SHOP, World
from contracts.deliveries import (
    DeliveryRequested,
    DeliveryResult,
    Existing,
    Migrated,
    PostStatus,
    RefusalCode,
    Rewrite,
    Show,
    Shown,
)
from contracts.outcomes import Ambiguous, Later, NotSent, Refused
from contracts.reports import ReportedMedia, ReportState
from contracts.submissions import SubmissionRequested, TaskCreated
from contracts.values import JobState, MediaKind, label
from job_store.domain.reports import Trust
from job_store.domain.rows import LIVE, Bot, EffectKind
from job_store.domain.rules import Rules, Usual
from store_kit import callback, create, images, progressed

STATUS = 50
WORDS = (ReportedMedia(kind=MediaKind.TEXT, text="words"),)
LEARNED = replace(
    RULES,
    usual=lambda *_: Usual(expected=timedelta(seconds=42), late=timedelta(seconds=60)),
)


def claim(world: World, *, after: float = 0) -> list[UUID]:
    world.now += timedelta(seconds=after)
    before = set(world.attempts)
    for effect in world.due():
        world.claim(effect)
    return [id_ for id_ in world.attempts if id_ not in before]


def actions(world: World, *, after: float = 0) -> dict[UUID, Any]:
    """Claim what is due after a while; returns what deliverers are asked, by attempt."""
    requests = {id_: world.attempts[id_].request for id_ in claim(world, after=after)}
    return {
        id_: request.action
        for id_, request in requests.items()
        if isinstance(request, DeliveryRequested)
    }


def running(*, rules: Rules = RULES, bot: Bot = SHOP, **fields: Any) -> World:
    world = World(create(**{"status": STATUS, **fields}), bot, rules)
    for id_ in claim(world):
        if isinstance(world.attempts[id_].request, SubmissionRequested):
            world.submitted(id_, id_, TaskCreated(task_id="t"))
    assert world.job.state is JobState.RUNNING
    return world


def tell(world: World, percent: float) -> None:
    world.report(progressed(world.job.id, percent, task_id="t"), Trust.TRUSTED)


def succeed(world: World, media: tuple[ReportedMedia, ...]) -> None:
    world.report(callback(world.job.id, task_id="t", media=media), Trust.TRUSTED)


def said(world: World, *, after: float = 0) -> list[str]:
    """Return the words written into the status line, each of them certainly."""
    lines = []
    for id_, action in actions(world, after=after).items():
        if isinstance(action, Rewrite):
            lines.append(action.text)
            world.delivered(id_, Shown(message_id=action.message_id))
    return lines


def open_edit(world: World) -> UUID:
    tell(world, 40)
    ((attempt_id, action),) = actions(world).items()
    assert isinstance(action, Rewrite)
    return attempt_id


# -- what is said ------------------------------------------------------------------------------------


def test_progress_is_written_into_the_status_line():
    world = running()
    tell(world, 40.9)
    assert said(world) == [f"Working on it · 40 % · job {label(world.job.id)}"]


def test_the_latest_word_wins_and_none_comes_more_often_than_every_five_seconds():
    world = running()
    tell(world, 10)
    assert len(said(world)) == 1
    for percent in (20, 30, 40):
        tell(world, percent)
        assert said(world, after=1) == []
    assert [line.split("·")[1] for line in said(world, after=2)] == [" 40 % "]


def test_in_a_group_it_comes_every_fifteen_seconds():
    world = running(chat_id=-7)
    tell(world, 10)
    assert len(said(world)) == 1
    tell(world, 20)
    assert said(world, after=14) == []
    assert len(said(world, after=1)) == 1


def test_the_same_percent_or_a_lower_one_is_not_said():
    world = running()
    tell(world, 40)
    assert len(said(world)) == 1
    for percent in (40.3, 40, 30):
        tell(world, percent)
        assert said(world, after=10) == []


def test_a_percent_heard_while_an_edit_is_open_is_said_after_it():
    world = running()
    attempt_id = open_edit(world)
    tell(world, 60)
    assert not actions(world, after=6)
    world.delivered(attempt_id, Shown(message_id=STATUS))
    assert [line.split("·")[1] for line in said(world)] == [" 60 % "]


def test_being_late_is_said_once_at_the_learned_time():
    world = running(rules=LEARNED)
    assert said(world, after=59) == []
    assert said(world, after=1) == [
        f"Still working, it takes longer than usual · job {label(world.job.id)}"
    ]
    assert said(world, after=600) == []
    tell(world, 70)
    assert [line.split("·")[1] for line in said(world)] == [" 70 % "]


def test_a_percent_of_long_ago_does_not_hide_that_it_is_late():
    world = running(rules=LEARNED)
    tell(world, 95)
    assert len(said(world)) == 1
    assert [line.split(",")[0] for line in said(world, after=60)] == ["Still working"]


def test_late_is_five_minutes_when_nothing_is_learned():
    world = running()
    assert said(world, after=299) == []
    assert len(said(world, after=1)) == 1


@pytest.mark.parametrize(
    "language,line",
    [
        ("en", "Working on it, usually about 45 s · job "),
        ("ru", "Генерация идёт, обычно около 45 с · задание "),
    ],
)
def test_the_status_says_what_to_expect_when_that_is_known(language: str, line: str):
    world = World(create(status="auto", language=language), SHOP, LEARNED)
    (post,) = [a for a in actions(world).values() if isinstance(a, PostStatus)]
    assert post.text == line + label(world.job.id)


def test_progress_waits_for_the_status_line_to_be_posted():
    world = World(create(status="auto"))
    asked = actions(world)
    (status,) = asked
    (submission,) = [id_ for id_ in world.attempts if id_ != status]
    world.submitted(submission, submission, TaskCreated(task_id="t"))
    tell(world, 40)
    assert said(world) == []
    world.delivered(status, Shown(message_id=world.chat.post(7)))
    assert len(said(world)) == 1


@pytest.mark.parametrize("fields", [{"status": "none"}, {"deliver": False}])
def test_nothing_is_said_where_nobody_looks(fields: dict[str, Any]):
    world = running(**fields)
    tell(world, 40)
    assert said(world, after=3_000) == []


def test_it_ends_with_the_job():
    world = running()
    tell(world, 40)
    succeed(world, images(1))
    assert not [e for e in world.effects if e.kind is EffectKind.PROGRESS and e.state in LIVE]


# -- what comes of an edit ---------------------------------------------------------------------------


def test_what_was_certainly_not_written_is_written_again():
    world = running()
    world.delivered(open_edit(world), NotSent(reason="connect"))
    assert len(said(world, after=1)) == 1


def test_after_an_unclear_edit_nothing_else_is_written_for_ninety_seconds():
    world = running()
    world.delivered(open_edit(world), Ambiguous(reason="timeout"))
    tell(world, 60)
    assert said(world, after=89) == []
    assert [line.split("·")[1] for line in said(world, after=1)] == [" 60 % "]


def test_a_status_line_that_is_gone_carries_no_result():
    world = running()
    gone = Refused(code=RefusalCode.CARRIER_GONE, reason="message to edit not found")
    world.delivered(open_edit(world), gone)
    succeed(world, images(1))
    ((_, show),) = actions(world).items()
    assert show.carrier.kind == "fresh"


def test_a_group_that_migrates_goes_on_without_its_status_line():
    world = running(chat_id=-7)
    world.delivered(open_edit(world), Migrated(chat_id=-1_007))
    assert (world.job.chat_id, world.job.status_message_id) == (-1_007, None)
    assert not [e for e in world.effects if e.kind is EffectKind.PROGRESS and e.state in LIVE]
    tell(world, 60)
    assert said(world, after=600) == []


# -- a result meets an unclear edit ------------------------------------------------------------------

UNCLEAR: list[DeliveryResult | None] = [
    None,
    Ambiguous(reason="timeout"),
    Later(reason="8", after=8),
]


def unclear(result: DeliveryResult | None) -> World:
    """A job whose last progress edit may still land: it is open, or nobody knows."""
    world = running()
    attempt_id = open_edit(world)
    if result is not None:
        world.delivered(attempt_id, result)
    return world


@pytest.mark.parametrize("result", UNCLEAR)
def test_a_medium_goes_into_the_message_at_once(result: DeliveryResult | None):
    world = unclear(result)
    succeed(world, images(1))
    (show,) = actions(world).values()
    assert show.carrier == Existing(message_id=STATUS)


@pytest.mark.parametrize("result", UNCLEAR)
def test_words_take_a_carrier_of_their_own(result: DeliveryResult | None):
    world = unclear(result)
    succeed(world, WORDS)
    (show,) = actions(world).values()
    assert show.carrier.kind == "fresh"


@pytest.mark.parametrize("result", UNCLEAR)
def test_a_collage_takes_a_carrier_of_its_own(result: DeliveryResult | None):
    """A rich message is text to Telegram: a late edit of the text would replace it."""
    world = unclear(result)
    world.bot = replace(SHOP, rich=True)
    succeed(world, images(2))
    (show,) = actions(world).values()
    assert (len(show.content.items), show.carrier.kind) == (2, "fresh")
    assert show.carrier.text == f"Ready: 2 files · job {label(world.job.id)}"


@pytest.mark.parametrize("result", UNCLEAR)
def test_a_failure_is_not_written_over_by_a_late_word(result: DeliveryResult | None):
    world = unclear(result)
    world.report(callback(world.job.id, task_id="t", state=ReportState.FAILED), Trust.TRUSTED)
    (show,) = actions(world).values()
    assert show.carrier.kind == "fresh"


@pytest.mark.parametrize("media", [WORDS, images(1)])
def test_a_certain_edit_leaves_the_status_line_free(media: tuple[ReportedMedia, ...]):
    world = running()
    world.delivered(open_edit(world), Shown(message_id=STATUS))
    succeed(world, media)
    (show,) = actions(world).values()
    assert show.carrier == Existing(message_id=STATUS)


def test_the_pointer_is_written_when_no_late_word_can_follow_it():
    world = unclear(Ambiguous(reason="timeout"))
    succeed(world, WORDS)
    ((attempt_id, show),) = actions(world).items()
    assert isinstance(show, Show)
    message_id = world.carried(attempt_id)
    assert message_id is not None
    world.delivered(attempt_id, Shown(message_id=message_id))

    assert said(world, after=89) == []
    assert [line.split(" ")[0] for line in said(world, after=1)] == ["Ready"]


def test_a_pointer_waits_for_what_came_of_an_open_edit():
    world = unclear(None)
    (edit,) = [id_ for id_, a in world.attempts.items() if isinstance(a.request, DeliveryRequested)]
    succeed(world, WORDS)
    ((attempt_id, _),) = actions(world).items()
    message_id = world.carried(attempt_id)
    assert message_id is not None
    world.delivered(attempt_id, Shown(message_id=message_id))
    assert said(world, after=1) == []

    world.delivered(edit, Shown(message_id=STATUS))
    assert [line.split(" ")[0] for line in said(world)] == ["Ready"]


def test_silence_after_an_edit_is_unclear_from_the_end_of_its_lease():
    world = unclear(None)
    world.now += timedelta(seconds=16)
    world.end_leases()
    succeed(world, WORDS)
    (show,) = actions(world).values()
    assert show.carrier.kind == "fresh"


def test_after_ninety_seconds_words_go_into_the_message_again():
    world = running(notify="in_place")
    world.delivered(open_edit(world), Ambiguous(reason="timeout"))
    world.now += timedelta(seconds=90)
    succeed(world, WORDS)
    shows = [a for a in actions(world).values() if isinstance(a, Show)]
    assert [show.carrier for show in shows] == [Existing(message_id=STATUS)]


def test_an_expired_job_says_nothing_more():
    world = running()
    tell(world, 40)
    world.now += timedelta(hours=2)
    world.expire()
    assert not [e for e in world.effects if e.kind is EffectKind.PROGRESS and e.state in LIVE]
