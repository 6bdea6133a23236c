"""From a link to a message, by whichever way works; status, rewrite and remove beside it."""

import hashlib

import pytest

from contracts.deliveries import Content, RefusalCode, Remove, Rewrite
from contracts.values import MediaKind
from testkit.telegram import FaultPlan, Kind, Mode

CHAT = 1001


def reject(bench, description, *, status=400, methods="edit", times=1):
    bench.telegram.faults.add(
        FaultPlan(
            mode=Mode.REJECT_BEFORE_COMMIT,
            status=status,
            description=description,
            methods=frozenset({methods}),
            times=times,
        )
    )


async def carrier(bench, ask, make):
    return (await bench.outcome(ask(make.status()))).result.message_id


async def test_a_link_telegram_cannot_read_is_uploaded(bench, ask, make):
    # Telegram judges by the content type; we judge by the bytes.
    url = bench.media.put("/cat", make.png, mime="application/octet-stream")

    outcome = await bench.outcome(ask(make.fresh(make.image(url))))

    (shown,) = bench.telegram.visible(CHAT)
    assert outcome.result.kind == "done"
    assert (shown.kind, shown.text) == (Kind.PHOTO, "a cat")
    assert shown.digest == hashlib.sha256(make.png).hexdigest()


async def test_a_link_telegram_refused_is_not_offered_again(bench, ask, make):
    url = bench.media.put("/cat", make.png, mime="application/octet-stream")
    await bench.outcome(ask(make.fresh(make.image(url))))
    calls = bench.telegram.calls

    await bench.outcome(ask(make.fresh(make.image(url))))

    assert bench.telegram.calls == calls + 2  # the carrier and one upload


async def test_a_picture_that_is_none_becomes_a_document(bench, ask, make):
    url = bench.media.put("/cat", make.png, mime="application/octet-stream")
    message_id = await carrier(bench, ask, make)
    reject(bench, "Bad Request: wrong type of the web page content")
    reject(bench, "Bad Request: PHOTO_INVALID_DIMENSIONS")

    outcome = await bench.outcome(ask(make.existing(make.image(url), message_id)))

    (shown,) = bench.telegram.visible(CHAT)
    assert outcome.result.kind == "done"
    assert shown.kind is Kind.DOCUMENT


async def test_what_no_upload_can_carry_becomes_a_link(bench, ask, make):
    url = bench.media.put("/film.mp4", make.mp4, mime="video/mp4")
    film = Content(kind=MediaKind.VIDEO, url=url, text="a film")
    message_id = await carrier(bench, ask, make)
    reject(bench, "Bad Request: wrong file identifier/HTTP URL specified")
    reject(bench, "Request Entity Too Large", status=413)

    outcome = await bench.outcome(ask(make.existing(film, message_id)))

    (shown,) = bench.telegram.visible(CHAT)
    assert outcome.result.kind == "done"
    assert (shown.kind, shown.text) == (Kind.TEXT, f"a film\n{url}")


async def test_a_dead_link_is_media_gone(bench, ask, make):
    outcome = await bench.outcome(ask(make.fresh(make.image(f"{bench.media.url}/gone.png"))))

    assert outcome.result.kind == "refused"
    assert outcome.result.code == RefusalCode.MEDIA_GONE
    assert outcome.carrier_id is not None
    assert not outcome.edit_maybe_applied


async def test_the_kept_file_id_is_the_first_choice(bench, ask, make):
    url = bench.media.put("/cat.png", make.png, mime="image/png")
    first = await bench.outcome(ask(make.fresh(make.image(url))))
    fetched = len(bench.media.agents)
    kept = make.image(url).model_copy(update={"file_id": first.result.file_id})

    outcome = await bench.outcome(ask(make.fresh(kept)))

    assert outcome.result.kind == "done"
    assert len(bench.media.agents) == fetched


async def test_a_file_id_of_another_bot_falls_back_to_the_link(bench, ask, make):
    url = bench.media.put("/cat.png", make.png, mime="image/png")
    foreign = make.image(url).model_copy(update={"file_id": "AgACAgIAAxkforeign"})

    outcome = await bench.outcome(ask(make.fresh(foreign)))

    assert outcome.result.kind == "done"
    assert [shown.url for shown in bench.telegram.visible(CHAT)] == [url]


async def test_an_edit_repeated_after_a_lost_answer_shows_one_message(bench, ask, make):
    url = bench.media.put("/cat.png", make.png, mime="image/png")
    bench.telegram.faults.plan(Mode.COMMIT_THEN_RST, "edit")

    outcome = await bench.outcome(ask(make.fresh(make.image(url))))

    assert outcome.result.kind == "done"
    assert len(bench.telegram.visible(CHAT)) == 1


async def test_an_overtaken_edit_is_repeated(bench, ask, make):
    message_id = await carrier(bench, ask, make)
    reject(bench, "Bad Request: canceled by new edit message request")

    outcome = await bench.outcome(ask(make.existing(make.text(), message_id)))

    assert outcome.result.kind == "done"


@pytest.mark.parametrize(
    "status, description, code",
    [
        (400, "Bad Request: message to edit not found", RefusalCode.CARRIER_GONE),
        (400, "Bad Request: message can't be edited", RefusalCode.CARRIER_UNEDITABLE),
        (400, "Bad Request: message media can't be edited", RefusalCode.CARRIER_UNEDITABLE),
        (403, "Forbidden: bot was blocked by the user", RefusalCode.BLOCKED),
        (403, "Forbidden: bot was kicked from the group chat", RefusalCode.CHAT_GONE),
        (400, "Bad Request: chat not found", RefusalCode.CHAT_GONE),
        (400, "Bad Request: not enough rights to edit", RefusalCode.NO_RIGHTS),
    ],
)
async def test_refusals_have_their_codes(bench, ask, make, status, description, code):
    message_id = await carrier(bench, ask, make)
    reject(bench, description, status=status)

    outcome = await bench.outcome(ask(make.existing(make.text(), message_id)))

    assert outcome.result.kind == "refused"
    assert outcome.result.code == code
    assert not outcome.edit_maybe_applied


@pytest.mark.parametrize("status, text", [(401, "Unauthorized"), (404, "Not Found")])
async def test_a_refused_token_pauses_the_bot_for_its_owner(bench, ask, make, status, text):
    reject(bench, text, status=status, methods="send")

    outcome = await bench.outcome(ask(make.status()))

    assert (outcome.result.kind, outcome.result.scope) == ("later", "bot")
    assert outcome.result.needs_owner


async def test_a_status_is_silent_and_in_its_topic(bench, ask, make):
    forum = -1001700000001
    bench.telegram.add_chat(forum, kind="supergroup", topics=(5,))

    outcome = await bench.outcome(ask(make.status(), chat_id=forum, thread_id=5))

    (shown,) = bench.telegram.visible(forum)
    assert outcome.result.message_id == shown.message_id
    assert (shown.thread_id, shown.notify) == (5, False)


async def test_a_closed_topic_does_not_lose_the_result(bench, ask, make):
    forum = -1001700000001
    bench.telegram.add_chat(forum, kind="supergroup", topics=(5,))
    bench.telegram.close_topic(forum, 5)

    outcome = await bench.outcome(ask(make.fresh(make.text()), chat_id=forum, thread_id=5))

    assert outcome.result.kind == "done"
    assert [shown.thread_id for shown in bench.telegram.visible(forum)] == [None]


async def test_a_fresh_carrier_rings_unless_told_not_to(bench, ask, make):
    await bench.outcome(ask(make.fresh(make.text())))

    assert [entry.notify for entry in bench.telegram.log() if entry.event == "sent"] == [True]


async def test_an_old_status_is_rewritten_any_number_of_times(bench, ask, make):
    message_id = await carrier(bench, ask, make)

    first = await bench.outcome(ask(Rewrite(message_id=message_id, text="see below")))
    second = await bench.outcome(ask(Rewrite(message_id=message_id, text="see below")))

    assert (first.result.kind, second.result.kind) == ("done", "done")
    assert [shown.text for shown in bench.telegram.visible(CHAT)] == ["see below"]


async def test_a_status_that_is_a_picture_gets_the_line_as_caption(bench, ask, make):
    url = bench.media.put("/cat.png", make.png, mime="image/png")
    message_id = (await bench.outcome(ask(make.fresh(make.image(url))))).result.message_id

    outcome = await bench.outcome(ask(Rewrite(message_id=message_id, text="see below")))

    (shown,) = bench.telegram.visible(CHAT)
    assert outcome.result.kind == "done"
    assert (shown.kind, shown.text) == (Kind.PHOTO, "see below")


async def test_a_spare_carrier_is_removed_any_number_of_times(bench, ask, make):
    message_id = await carrier(bench, ask, make)

    first = await bench.outcome(ask(Remove(message_id=message_id)))
    second = await bench.outcome(ask(Remove(message_id=message_id)))

    assert (first.result.kind, second.result.kind) == ("done", "done")
    assert bench.telegram.visible(CHAT) == []


async def test_a_removal_without_an_answer_is_repeated(bench, ask, make):
    message_id = await carrier(bench, ask, make)
    bench.telegram.faults.plan(Mode.COMMIT_THEN_CLOSE, "deletemessage")

    outcome = await bench.outcome(ask(Remove(message_id=message_id)))

    assert outcome.result.kind == "done"


async def test_no_outcome_carries_the_token(bench, ask, make, token):
    reject(bench, f"Bad Request: odd /bot{token}/sendMessage", methods="send")

    outcome = await bench.outcome(ask(make.status()))

    assert outcome.result.kind == "refused"
    assert token not in outcome.wire().decode()
