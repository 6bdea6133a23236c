"""Results that wait: their media is put by before the links die."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from case_world import SHOP, STAGING, World
from contracts.deliveries import (
    DeliveryRequested,
    Migrated,
    RefusalCode,
    Send,
    Show,
    Shown,
    Stage,
)
from contracts.outcomes import Ambiguous, NotSent, Refused
from contracts.reports import ReportedMedia
from contracts.values import JobState, MediaKind, MoneyState, PartState
from job_store.domain import delivery
from job_store.domain.rows import LIVE, Bot, Effect, EffectKind, EffectState
from store_kit import deliver, images

PREPARED = replace(SHOP, staging_chat=STAGING)
HALF_A_DAY = 12 * 3_600
BLOCKED = Refused(code=RefusalCode.BLOCKED, reason="bot was blocked by the user")


def claim(world: World, *, after: float = 0) -> dict[UUID, Any]:
    """Claim what is due after a while; returns what deliverers are asked, by attempt."""
    world.now += timedelta(seconds=after)
    before = set(world.attempts)
    for effect in world.due():
        world.claim(effect)
    requests = {id_: a.request for id_, a in world.attempts.items() if id_ not in before}
    return {id_: r.action for id_, r in requests.items() if isinstance(r, DeliveryRequested)}


def parked(bot: Bot = PREPARED, **fields: Any) -> World:
    world = World(deliver(**fields), bot)
    ((attempt_id, action),) = claim(world).items()
    world.delivered(attempt_id, BLOCKED, holder=_begun(world, attempt_id, action))
    assert PartState.PARKED in {part.state for part in world.parts}
    return world


def _begun(world: World, attempt_id: UUID, action: object) -> UUID | None:
    return attempt_id if isinstance(action, Send) and world.begin(attempt_id, attempt_id) else None


def stages(world: World) -> list[Effect]:
    return [e for e in world.effects if e.kind is EffectKind.STAGE]


@pytest.mark.parametrize("mode", ["edit", "send"])
def test_what_is_parked_is_staged_after_half_a_day_and_shown_from_there(mode: str):
    world = parked(mode=mode)
    assert not claim(world, after=HALF_A_DAY - 1)
    ((attempt_id, stage),) = claim(world, after=1).items()
    assert isinstance(stage, Stage)
    assert (stage.chat_id, stage.content.text, stage.content.url) == (
        STAGING,
        "",
        world.parts[0].url,
    )

    world.delivered(attempt_id, Shown(message_id=9, file_id="kept"))
    assert [(p.file_id, p.message_id, p.state) for p in world.parts] == [
        ("kept", None, PartState.PARKED)
    ]
    world.step(delivery.returned)
    (action,) = claim(world).values()
    content = action.parts[0].content if isinstance(action, Send) else action.content
    assert content.file_id == "kept"


def test_all_that_waits_behind_a_parked_part_is_staged_with_it():
    assert len(stages(parked(media=images(3)))) == 3


def test_every_picture_of_a_collage_is_staged():
    world = parked(replace(PREPARED, rich=True), media=images(2))
    asked = claim(world, after=HALF_A_DAY)
    for n, (attempt_id, stage) in enumerate(asked.items()):
        assert isinstance(stage, Stage)
        world.delivered(attempt_id, Shown(message_id=9, file_id=f"file-{n}"))
    assert [item.file_id for item in world.parts[0].items] == ["file-0", "file-1"]


@pytest.mark.parametrize(
    "media,bot",
    [
        ((ReportedMedia(kind=MediaKind.TEXT, text="words"),), PREPARED),
        ((ReportedMedia(kind=MediaKind.FILE, text="words"),), PREPARED),
        (images(1), SHOP),
    ],
)
def test_what_has_no_link_or_no_place_is_not_staged(media: tuple[ReportedMedia, ...], bot: Bot):
    assert not stages(parked(bot, media=media))


@pytest.mark.parametrize("result", [NotSent(reason="connect"), Ambiguous(reason="timeout")])
def test_what_fails_for_half_a_day_is_staged(result: NotSent | Ambiguous):
    world = World(deliver(), PREPARED)
    ((attempt_id, _),) = claim(world).items()
    world.delivered(attempt_id, result)
    assert not stages(world)
    ((attempt_id, show),) = claim(world, after=HALF_A_DAY).items()
    assert isinstance(show, Show)
    world.delivered(attempt_id, result)
    assert any(isinstance(action, Stage) for action in claim(world, after=1).values())


def test_staging_is_dropped_when_the_part_is_shown():
    world = parked()
    world.step(delivery.returned)
    ((attempt_id, _),) = claim(world).items()
    world.carried(attempt_id)
    target = world.attempts[attempt_id].target
    assert target is not None
    world.delivered(attempt_id, Shown(message_id=target))
    assert [e.state for e in stages(world)] == [EffectState.CANCELLED]


@pytest.mark.parametrize("result", [NotSent(reason="connect"), Ambiguous(reason="timeout")])
def test_staging_is_tried_again_because_twice_harms_nobody(result: NotSent | Ambiguous):
    world = parked()
    ((attempt_id, _),) = claim(world, after=HALF_A_DAY).items()
    world.delivered(attempt_id, result)
    assert len(claim(world, after=60)) == 1


def test_a_staging_chat_that_moved_moves_no_job():
    world = parked()
    ((attempt_id, _),) = claim(world, after=HALF_A_DAY).items()
    world.delivered(attempt_id, Migrated(chat_id=-1_007))
    assert world.job.chat_id == 7
    assert [e.state for e in stages(world)] == [EffectState.REFUSED]


def test_a_link_that_died_before_anybody_saw_the_result_ends_it_refunded_and_said():
    world = parked(price=300)
    ((attempt_id, _),) = claim(world, after=HALF_A_DAY).items()
    world.delivered(attempt_id, Refused(code=RefusalCode.MEDIA_GONE, reason="404"))
    assert (world.job.state, world.job.money) == (JobState.UNDELIVERABLE, MoneyState.REFUNDED)
    (notice,) = [part for part in world.parts if part.is_notice]
    assert "could not be shown" in notice.text


def test_a_dead_link_of_an_album_costs_only_its_own_part():
    world = parked(mode="send", media=images(2))
    first, second = claim(world, after=HALF_A_DAY)
    world.delivered(first, Refused(code=RefusalCode.MEDIA_GONE, reason="404"))
    world.delivered(second, Shown(message_id=9, file_id="kept"))

    world.step(delivery.returned)
    (send,) = [a for a in claim(world, after=1).values() if isinstance(a, Send)]
    assert [one.content.file_id for one in send.parts] == ["kept"]


def test_a_dead_link_of_an_album_that_is_still_tried_leaves_the_rest_of_it_due():
    world = World(deliver(mode="send", media=images(2)), PREPARED)
    for wait in (0, HALF_A_DAY):
        ((attempt_id, _),) = claim(world, after=wait).items()
        world.delivered(attempt_id, NotSent(reason="connect", after=60))
    first, _ = claim(world)
    world.delivered(first, Refused(code=RefusalCode.MEDIA_GONE, reason="404"))
    (send,) = [a for a in claim(world, after=60).values() if isinstance(a, Send)]
    assert len(send.parts) == 1


@pytest.mark.parametrize("mode", ["edit", "send"])
def test_silence_for_half_a_day_is_staged_too(mode: str):
    world = World(deliver(mode=mode), PREPARED)
    claim(world)
    world.now += timedelta(seconds=HALF_A_DAY)
    world.end_leases()
    assert len(stages(world)) == 1


def test_a_message_that_may_show_the_result_is_not_given_up_for_a_dead_link():
    world = World(deliver(), PREPARED)
    ((attempt_id, _),) = claim(world).items()
    world.carried(attempt_id)
    world.delivered(attempt_id, Ambiguous(reason="timeout"))
    world.now += timedelta(seconds=HALF_A_DAY)
    ((attempt_id, _),) = claim(world).items()
    world.delivered(attempt_id, BLOCKED)
    (stage,) = [id_ for id_, a in claim(world).items() if isinstance(a, Stage)]
    world.delivered(stage, Refused(code=RefusalCode.MEDIA_GONE, reason="404"))
    assert [part.state for part in world.parts] == [PartState.PARKED]
    assert not [e for e in stages(world) if e.state in LIVE]
