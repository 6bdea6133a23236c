"""Results that are sent: at most once, in order, and never lost without anybody knowing."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from case_world import SHOP, World
from contracts.deliveries import DeliveryRequested, Migrated, RefusalCode, Send, Sent, SentPart
from contracts.outcomes import Ambiguous, Later, NotSent, Refused
from contracts.values import JobState, MoneyState, PartState
from job_store.domain import delivery
from job_store.domain.rows import EffectKind, EffectState
from store_kit import deliver, images
from test_layout import medium


def sending(*kinds: str, **fields: Any) -> World:
    media = tuple(medium(kind, n) for n, kind in enumerate(kinds)) or images(3)
    return World(deliver(mode="send", media=media, **fields))


def claim(world: World, *, after: float = 0) -> list[UUID]:
    """Claim what is due after a while; returns the new attempts."""
    world.now += timedelta(seconds=after)
    before = set(world.attempts)
    for effect in world.due():
        world.claim(effect)
    return [id_ for id_ in world.attempts if id_ not in before]


def asked(world: World, attempt_id: UUID) -> Send:
    request = world.attempts[attempt_id].request
    assert isinstance(request, DeliveryRequested)
    assert isinstance(request.action, Send)
    return request.action


def begun(world: World, attempt_id: UUID) -> UUID:
    holder = uuid4()
    assert world.begin(attempt_id, holder)
    return holder


def states(world: World) -> list[PartState]:
    return [part.state for part in sorted(world.parts, key=lambda part: part.ordinal)]


def refused(code: RefusalCode) -> Refused:
    return Refused(code=code, reason="no")


def sent(world: World, attempt_id: UUID, first_message: int = 500) -> Sent:
    parts = asked(world, attempt_id).parts
    return Sent(
        parts=tuple(
            SentPart(part_id=one.part_id, message_id=first_message + n, file_id=f"f{n}")
            for n, one in enumerate(parts)
        )
    )


# -- the way it should go ----------------------------------------------------------------------------


def test_an_album_is_one_send_and_every_message_of_it_is_bound_to_its_part():
    world = sending()
    (attempt_id,) = claim(world)
    send = asked(world, attempt_id)
    assert (len(send.parts), send.silent, send.call_timeout) == (3, False, 75)

    world.delivered(attempt_id, sent(world, attempt_id), holder=begun(world, attempt_id))

    assert world.job.state is JobState.DELIVERED
    assert [part.message_id for part in world.parts] == [500, 501, 502]
    assert [part.file_id for part in world.parts] == ["f0", "f1", "f2"]
    assert sorted(message for _, message in world.carriers) == [500, 501, 502]


def test_groups_go_one_after_the_other_and_only_the_first_rings():
    world = sending("image", "image", "audio", "voice")
    rings = []
    for first_message in (500, 510, 520):
        (attempt_id,) = claim(world)
        assert claim(world, after=60) == []
        rings.append(not asked(world, attempt_id).silent)
        holder = begun(world, attempt_id)
        world.delivered(attempt_id, sent(world, attempt_id, first_message), holder=holder)
    assert rings == [True, False, False]
    assert world.job.state is JobState.DELIVERED


def test_an_album_takes_a_slot_for_each_of_its_messages():
    world = sending()
    (effect,) = [e for e in world.effects if e.kind is EffectKind.SEND]
    assert world.step(lambda case: delivery.units(case, case.effects[effect.id])) == 3


def test_the_lease_grows_from_fetching_to_the_call_alone():
    world = sending()
    (attempt_id,) = claim(world)
    (effect,) = [e for e in world.effects if e.kind is EffectKind.SEND]
    assert effect.lease_until == world.now + timedelta(seconds=120)
    begun(world, attempt_id)
    (effect,) = [e for e in world.effects if e.kind is EffectKind.SEND]
    assert effect.lease_until == world.now + timedelta(seconds=90)


def test_a_status_message_becomes_a_pointer():
    world = sending(status=50)
    (attempt_id,) = claim(world)
    world.delivered(attempt_id, sent(world, attempt_id), holder=begun(world, attempt_id))
    assert [e.message_id for e in world.effects if e.kind is EffectKind.REWRITE] == [50]


# -- nobody knows ------------------------------------------------------------------------------------


def test_an_ambiguous_send_is_never_repeated_and_the_next_goes():
    world = sending("image", "image", "audio")
    (attempt_id,) = claim(world)
    world.delivered(attempt_id, Ambiguous(reason="timeout"), holder=begun(world, attempt_id))

    assert states(world) == [PartState.UNCERTAIN] * 2 + [PartState.PENDING]
    (second,) = claim(world, after=10_000)
    assert len(asked(world, second).parts) == 1
    world.delivered(second, sent(world, second), holder=begun(world, second))
    assert world.job.state is JobState.SUCCEEDED
    assert not claim(world, after=10_000)


def test_silence_means_again_before_the_call_and_uncertain_after_it():
    world = sending()
    (first,) = claim(world)
    world.now += timedelta(seconds=121)
    world.end_leases()
    (second,) = claim(world, after=5)
    assert not world.begin(first, uuid4())
    begun(world, second)
    world.now += timedelta(seconds=91)
    world.end_leases()

    assert states(world) == [PartState.UNCERTAIN] * 3
    assert not claim(world, after=10_000)


def test_evidence_settles_what_was_uncertain_whoever_brings_it():
    world = sending()
    (attempt_id,) = claim(world)
    world.delivered(attempt_id, Ambiguous(reason="timeout"), holder=begun(world, attempt_id))

    world.delivered(attempt_id, sent(world, attempt_id), holder=uuid4())

    assert world.job.state is JobState.DELIVERED
    assert [e.state for e in world.effects if e.kind is EffectKind.SEND] == [EffectState.DONE]


def test_messages_of_a_second_send_are_counted():
    world = sending()
    (attempt_id,) = claim(world)
    holder = begun(world, attempt_id)
    for first_message in (500, 500, 600):
        world.delivered(attempt_id, sent(world, attempt_id, first_message), holder=holder)
    assert [part.showings for part in world.parts] == [2, 2, 2]
    assert [part.message_id for part in world.parts] == [500, 501, 502]


def test_parts_that_an_answer_does_not_name_are_uncertain():
    world = sending()
    (attempt_id,) = claim(world)
    whole = sent(world, attempt_id)
    world.delivered(attempt_id, Sent(parts=whole.parts[:2]), holder=begun(world, attempt_id))
    assert states(world) == [PartState.SHOWN] * 2 + [PartState.UNCERTAIN]


# -- certainly not sent ------------------------------------------------------------------------------


@pytest.mark.parametrize("result", [NotSent(reason="connect"), Later(reason="429", after=9)])
def test_only_the_holder_says_that_nothing_was_sent(result: NotSent | Later):
    world = sending()
    (attempt_id,) = claim(world)
    holder = begun(world, attempt_id)

    world.delivered(attempt_id, result, holder=uuid4())
    assert not claim(world, after=60)
    world.delivered(attempt_id, result, holder=holder)
    assert len(claim(world, after=60)) == 1


def test_who_was_not_let_through_says_nothing_of_the_holders_call():
    world = sending()
    (attempt_id,) = claim(world)
    begun(world, attempt_id)
    for result in (Ambiguous(reason="?"), refused(RefusalCode.PAYLOAD), Migrated(chat_id=-9)):
        world.delivered(attempt_id, result)
    assert states(world) == [PartState.PENDING] * 3
    assert world.job.chat_id == 7


def test_a_group_that_migrated_gets_it_in_its_new_chat():
    world = sending(chat_id=-7)
    (attempt_id,) = claim(world)
    world.delivered(attempt_id, Migrated(chat_id=-1_007), holder=begun(world, attempt_id))
    (again,) = claim(world)
    request = world.attempts[again].request
    assert isinstance(request, DeliveryRequested)
    assert request.chat_id == -1_007


@pytest.mark.parametrize(
    "code", [RefusalCode.MEDIA_UNUSABLE, RefusalCode.PAYLOAD, RefusalCode.MEDIA_GONE]
)
def test_an_album_with_a_bad_medium_is_taken_apart_in_order(code: RefusalCode):
    world = sending("image", "image", "image")
    (attempt_id,) = claim(world)
    whole = [one.part_id for one in asked(world, attempt_id).parts]
    world.delivered(attempt_id, refused(code), holder=begun(world, attempt_id))

    alone = []
    for first_message in (500, 510, 520):
        (attempt_id,) = claim(world, after=1)
        (one,) = asked(world, attempt_id).parts
        alone.append(one.part_id)
        result = refused(code) if first_message == 510 else sent(world, attempt_id, first_message)
        world.delivered(attempt_id, result, holder=begun(world, attempt_id))

    assert alone == whole
    assert states(world) == [PartState.SHOWN, PartState.REFUSED, PartState.SHOWN]
    assert world.job.state is JobState.DELIVERED


def test_what_can_never_be_sent_is_refunded_and_said_by_an_edit():
    world = sending("image", price=300)
    (attempt_id,) = claim(world)
    world.delivered(attempt_id, refused(RefusalCode.MEDIA_GONE), holder=begun(world, attempt_id))
    assert (world.job.state, world.job.money) == (JobState.UNDELIVERABLE, MoneyState.REFUNDED)
    (notice,) = [part for part in world.parts if part.is_notice]
    assert [e.kind for e in world.effects if e.part_id == notice.id] == [EffectKind.SHOW]


def test_what_was_parked_goes_in_order_when_the_user_is_back():
    world = sending("image", "image", "audio", "voice")
    for _ in range(3):
        (attempt_id,) = claim(world)
        world.delivered(attempt_id, refused(RefusalCode.BLOCKED), holder=begun(world, attempt_id))
    assert states(world) == [PartState.PARKED] * 4

    assert world.step(delivery.returned) == 4
    kinds = []
    for first_message in (500, 510, 520):
        (attempt_id,) = claim(world, after=2)
        assert not claim(world, after=2)
        kinds.append([one.content.kind for one in asked(world, attempt_id).parts])
        world.delivered(
            attempt_id, sent(world, attempt_id, first_message), holder=begun(world, attempt_id)
        )

    assert kinds == [["image", "image"], ["audio"], ["voice"]]
    assert world.job.state is JobState.DELIVERED


def test_nobody_begins_what_needs_no_leave():
    world = World(deliver())
    (attempt_id,) = claim(world)
    assert not world.begin(attempt_id, uuid4())


def test_every_message_of_a_protected_job_is_protected():
    world = World(deliver(protect=True, status=50), replace(SHOP, texts={}))
    (attempt_id,) = claim(world)
    request = world.attempts[attempt_id].request
    assert isinstance(request, DeliveryRequested)
    assert request.protect
