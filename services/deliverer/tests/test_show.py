"""The show protocol on a real bus: carrier, permission, content, evidence."""

from datetime import timedelta

import pytest

from chassis.clock import SYSTEM
from contracts.deliveries import RefusalCode
from contracts.effects import Go, Stop
from testkit.telegram import Kind, Mode

CHAT = 1001


async def test_a_fresh_carrier_becomes_the_result(bench, ask, make):
    url = bench.media.put("/cat.png", make.png, mime="image/png")
    request = ask(make.fresh(make.image(url)))

    outcome = await bench.outcome(request)

    (shown,) = bench.telegram.visible(CHAT)
    assert outcome.result.kind == "done"
    assert (shown.kind, shown.text, shown.url) == (Kind.PHOTO, "a cat", url)
    assert outcome.result.message_id == outcome.carrier_id == shown.message_id
    assert outcome.result.file_id is not None
    assert outcome.part_id == request.action.part_id
    assert not outcome.edit_maybe_applied
    assert [asked.message_id for asked in bench.asked] == [shown.message_id]


async def test_the_carrier_text_stands_until_permission_is_given(bench, ask, make):
    seen = []

    def look(_asked):
        seen.extend(message.text for message in bench.telegram.visible(CHAT))
        return Go(lease=15)

    bench.answerer = look

    await bench.outcome(ask(make.fresh(make.text())))

    assert seen == ["Ready: image · job 7F3K"]


async def test_told_to_stop_the_carrier_is_left_alone_and_named(bench, ask, make):
    bench.answerer = lambda _asked: Stop(reason="taken")

    outcome = await bench.outcome(ask(make.fresh(make.text())))

    (carrier,) = bench.telegram.visible(CHAT)
    assert carrier.text == "Ready: image · job 7F3K"
    assert outcome.result.kind == "not_sent"
    assert outcome.carrier_id == carrier.message_id
    assert not outcome.edit_maybe_applied


async def test_sent_to_another_carrier_ours_is_a_stray(bench, ask, make):
    first = await bench.outcome(ask(make.status("an earlier carrier")))
    earlier = first.result.message_id
    bench.answerer = lambda _asked: Go(lease=15, message_id=earlier)

    outcome = await bench.outcome(ask(make.fresh(make.text())))

    texts = {message.message_id: message.text for message in bench.telegram.visible(CHAT)}
    assert outcome.carrier_id == outcome.result.message_id == earlier
    assert texts[earlier] == "the answer"
    assert [texts[stray] for stray in outcome.stray_ids] == ["Ready: image · job 7F3K"]


async def test_a_lost_permission_is_asked_for_again_in_the_same_words(bench, ask, make):
    answers = iter([None, Go(lease=15)])
    bench.answerer = lambda _asked: next(answers)

    outcome = await bench.outcome(ask(make.fresh(make.text())))

    assert outcome.result.kind == "done"
    assert len(bench.asked) == 2
    assert bench.asked[0] == bench.asked[1]


async def test_without_an_answer_nothing_is_put_into_the_carrier(bench, ask, make):
    bench.answerer = lambda _asked: None

    outcome = await bench.outcome(ask(make.fresh(make.text()), lease=1.5))

    (carrier,) = bench.telegram.visible(CHAT)
    assert carrier.text == "Ready: image · job 7F3K"
    assert outcome.result.kind == "not_sent"
    assert outcome.carrier_id == carrier.message_id


async def test_an_ambiguous_carrier_is_reported_and_not_repeated(bench, ask, make):
    bench.telegram.faults.plan(Mode.COMMIT_THEN_CLOSE, "send")

    outcome = await bench.outcome(ask(make.fresh(make.text())))

    assert outcome.result.kind == "ambiguous"
    assert not outcome.edit_maybe_applied
    assert outcome.carrier_id is None
    assert len(bench.telegram.visible(CHAT)) == 1
    assert bench.asked == []


async def test_an_ambiguous_edit_is_repeated_until_it_stands(bench, ask, make):
    bench.telegram.faults.plan(Mode.COMMIT_THEN_CLOSE, "edit")

    outcome = await bench.outcome(ask(make.fresh(make.text())))

    assert outcome.result.kind == "done"
    assert not outcome.edit_maybe_applied
    assert [message.text for message in bench.telegram.visible(CHAT)] == ["the answer"]


async def test_an_edit_ambiguous_to_the_end_says_so(bench, ask, make):
    bench.telegram.faults.plan(Mode.COMMIT_THEN_HTML, "edit", times=None)
    carrier = (await bench.outcome(ask(make.status()))).result.message_id

    outcome = await bench.outcome(ask(make.existing(make.text(), carrier), lease=2.0))

    assert outcome.result.kind == "ambiguous"
    assert outcome.edit_maybe_applied
    assert outcome.carrier_id == carrier


async def test_an_attempt_that_is_over_on_arrival_is_not_acted_on(bench, ask, make):
    past = SYSTEM.now() - timedelta(seconds=1)

    outcome = await bench.outcome(ask(make.fresh(make.text()), not_after=past))

    assert outcome.result.kind == "not_sent"
    assert bench.telegram.calls == 0


async def test_a_redelivered_attempt_is_answered_again_and_not_acted_on_again(bench, ask, make):
    request = ask(make.fresh(make.text()))
    await bench.outcome(request)

    await bench.ask(request, times=3)
    last = await bench.outcome(ask(make.status("afterwards")))

    mine = {one.id for one in bench.outcomes if one.attempt_id == request.attempt.id}
    assert last.result.kind == "done"
    assert len(mine) == 1
    assert [one.text for one in bench.telegram.visible(CHAT)] == ["the answer", "afterwards"]


async def test_the_same_attempt_twice_at_once_acts_once(bench, ask, make):
    request = ask(make.status())

    await bench.ask(request, times=5)
    await bench.told(request)
    await bench.outcome(ask(make.status("afterwards")))

    assert len(bench.telegram.visible(CHAT)) == 2


async def test_a_carrier_that_is_gone_is_refused(bench, ask, make):
    outcome = await bench.outcome(ask(make.existing(make.text(), 77)))

    assert outcome.result.kind == "refused"
    assert outcome.result.code == RefusalCode.CARRIER_GONE
    assert outcome.carrier_id == 77


async def test_a_blocked_user_is_refused_as_blocked(bench, ask, make):
    bench.telegram.faults.plan(Mode.BLOCKED, "send")

    outcome = await bench.outcome(ask(make.fresh(make.text())))

    assert outcome.result.code == RefusalCode.BLOCKED


async def test_fault_46_a_migrated_group_is_named_by_its_new_id(bench, ask, make):
    group = -4001
    bench.telegram.add_chat(group, kind="group")
    bench.telegram.faults.plan(Mode.MIGRATE, "edit")
    carrier = (await bench.outcome(ask(make.status(), chat_id=group))).result.message_id

    outcome = await bench.outcome(ask(make.existing(make.text(), carrier), chat_id=group))

    assert outcome.result.kind == "migrated"
    assert outcome.result.chat_id == bench.telegram.migrate(group)


async def test_fault_44_a_429_parks_its_chat_and_no_other(bench, ask, make):
    bench.telegram.faults.plan(Mode.TOO_MANY, "send", retry_after=9)

    first = await bench.outcome(ask(make.status()))
    calls = bench.telegram.calls
    second = await bench.outcome(ask(make.status()))
    elsewhere = await bench.outcome(ask(make.status(), chat_id=1002))

    assert (first.result.kind, first.result.after, first.result.scope) == ("later", 9, "chat")
    assert (second.result.kind, second.result.scope) == ("later", "chat")
    assert second.result.after <= 9
    assert elsewhere.result.kind == "done"
    assert bench.telegram.calls == calls + 1


@pytest.mark.parametrize("seconds", [30, 3_600], ids=["half-a-minute", "longer-than-ack-wait"])
async def test_fault_44_a_long_429_parks_the_bot(bench, ask, make, seconds: int):
    bench.telegram.faults.plan(Mode.TOO_MANY, "send", retry_after=seconds)

    first = await bench.outcome(ask(make.status()))
    elsewhere = await bench.outcome(ask(make.status(), chat_id=1002))

    assert (first.result.scope, first.result.after) == ("bot", seconds)
    assert (elsewhere.result.kind, elsewhere.result.scope) == ("later", "bot")


async def test_an_unreadable_request_costs_only_itself(bench, ask, make):
    await bench.client.jetstream().publish("deliveries.requested", b"{}")

    outcome = await bench.outcome(ask(make.status()))

    assert outcome.result.kind == "done"
