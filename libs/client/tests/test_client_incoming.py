"""What a job takes from the message that asked for it; real aiogram messages are the measure."""

from datetime import UTC, datetime
from typing import Any

import pytest
from aiogram.types import CallbackQuery, Chat, InaccessibleMessage, Message, User

from client_store import Service
from contracts.api import CreateJob, JobRequest
from sendonce import InvalidRequest, MediaKind, ReportedMedia, SendOnce
from sendonce.incoming import language

ANNA = User(id=5, is_bot=False, first_name="Anna", language_code="ru")
OURSELVES = User(id=9, is_bot=True, first_name="Shop")
FORUM = Chat(id=-1001, type="supergroup", is_forum=True)


def tap(**changes: Any) -> CallbackQuery:
    told: dict[str, Any] = {
        "id": "query-1",
        "from_user": ANNA,
        "chat_instance": "1",
        "data": "buy:m",
        "message": message(from_user=OURSELVES),
        **changes,
    }
    return CallbackQuery(**told)


def message(**changes: Any) -> Message:
    told: dict[str, Any] = {
        "message_id": 42,
        "date": datetime(2026, 11, 24, tzinfo=UTC),
        "chat": Chat(id=5, type="private"),
        "from_user": ANNA,
        "text": "a cat",
        **changes,
    }
    return Message(**told)


async def asked(sendonce: SendOnce, service: Service, **options: Any) -> JobRequest:
    await sendonce.create(model="m", input={}, **options)
    request = service.store.asked[-1].request
    assert isinstance(request, CreateJob)
    return request


async def test_a_message_says_who_where_and_which(sendonce: SendOnce, service: Service) -> None:
    request = await asked(sendonce, service, message=message())

    assert (request.chat_id, request.user_id, request.thread_id) == (5, 5, None)
    assert (request.reply_to, request.language) == (42, "ru")
    assert request.key.startswith("5:42:")


async def test_the_same_message_twice_is_one_job(sendonce: SendOnce, service: Service) -> None:
    first = await sendonce.create(message(), model="m", input={})
    second = await sendonce.create(message(), model="m", input={})

    assert first.id == second.id
    assert not second.created


async def test_each_thing_asked_of_a_message_is_a_job_of_its_own(
    sendonce: SendOnce, service: Service
) -> None:
    said, media = message(), [ReportedMedia(kind=MediaKind.TEXT, text="a")]

    jobs = [
        await sendonce.create(said, model="m", input={}),
        await sendonce.create(said, model="other", input={}),
        await sendonce.create(said, model="m", operation="upscale", input={}),
        await sendonce.create(said, model="m", family="veo", input={}),
        await sendonce.create(said, model="m", input={}, purpose="again"),
        await sendonce.expect(said),
        await sendonce.expect(said, family="veo"),
        await sendonce.deliver(said, media=media),
        await sendonce.deliver(said, media=media, purpose="second"),
    ]

    assert len({job.id for job in jobs}) == len(jobs)
    assert all(job.created for job in jobs)


async def test_the_input_is_no_part_of_the_key_so_a_changed_mind_is_a_conflict_and_no_second_charge(
    sendonce: SendOnce, service: Service
) -> None:
    await sendonce.create(message(), model="m", input={"seed": 1})
    await sendonce.create(message(), model="m", input={"seed": 2})

    one, other = service.store.verbs("jobs.create")
    assert isinstance(one.request, CreateJob)
    assert isinstance(other.request, CreateJob)
    assert one.request.key == other.request.key


async def test_a_double_tap_is_one_job(sendonce: SendOnce, service: Service) -> None:
    first = await sendonce.create(tap(id="query-1"), model="m", input={})
    second = await sendonce.create(tap(id="query-2"), model="m", input={})

    assert first.id == second.id
    assert (first.created, second.created) == (True, False)


async def test_another_button_person_or_menu_is_another_job(
    sendonce: SendOnce, service: Service
) -> None:
    boris = User(id=6, is_bot=False, first_name="Boris")
    taps = [
        tap(),
        tap(data="buy:other"),
        tap(from_user=boris),
        tap(message=message(message_id=43, from_user=OURSELVES)),
    ]

    jobs = [await sendonce.create(one, model="m", input={}) for one in taps]

    assert len({job.id for job in jobs}) == len(jobs)


async def test_a_tap_says_who_where_and_what_it_answers(
    sendonce: SendOnce, service: Service
) -> None:
    menu = message(
        chat=FORUM,
        from_user=OURSELVES,
        is_topic_message=True,
        message_thread_id=17,
        reply_to_message=message(chat=FORUM, message_id=41),
    )

    await sendonce.create(tap(message=menu), model="m", input={})

    request = service.store.asked[-1].request
    assert isinstance(request, CreateJob)
    assert (request.chat_id, request.thread_id, request.reply_to) == (-1001, 17, 41)
    assert (request.user_id, request.language) == (5, "ru")


async def test_a_menu_too_old_to_be_read_still_names_its_job(
    sendonce: SendOnce, service: Service
) -> None:
    forgotten = InaccessibleMessage(chat=Chat(id=5, type="private"), message_id=42)

    fresh = await sendonce.create(tap(), model="m", input={})
    late = await sendonce.create(tap(message=forgotten), model="m", input={})

    assert fresh.id == late.id


async def test_a_tap_under_an_inline_message_names_no_chat(
    sendonce: SendOnce, service: Service
) -> None:
    nowhere = tap(message=None, inline_message_id="inline-1")

    with pytest.raises(InvalidRequest, match="it names no chat"):
        await sendonce.create(nowhere, model="m", input={}, key="k")
    job = await sendonce.create(nowhere, model="m", input={}, key="k", chat_id=5)

    assert job.user_id == 5


async def test_a_purpose_needs_a_message(sendonce: SendOnce) -> None:
    with pytest.raises(InvalidRequest, match="there is no message"):
        await sendonce.create(model="m", input={}, key="k", chat_id=5, user_id=5, purpose="again")


@pytest.mark.parametrize("in_topic, thread", [(True, 17), (None, None), (False, None)])
async def test_a_thread_is_a_topic_only_when_telegram_says_so(
    sendonce: SendOnce, service: Service, *, in_topic: bool | None, thread: int | None
) -> None:
    said = message(chat=FORUM, message_thread_id=17, is_topic_message=in_topic)

    request = await asked(sendonce, service, message=said)

    assert request.chat_id == -1001
    assert request.thread_id == thread


async def test_what_is_given_outranks_what_is_derived(sendonce: SendOnce, service: Service) -> None:
    request = await asked(
        sendonce, service, message=message(), key="mine", language="en", user_id=6, chat_id=None
    )

    assert (request.key, request.language, request.user_id) == ("mine", "en", 6)
    assert request.chat_id == 5


@pytest.mark.parametrize(
    "nobody",
    [
        {"from_user": None},
        {"sender_chat": FORUM, "chat": FORUM},
        {"from_user": OURSELVES},
    ],
)
async def test_a_message_of_nobody_never_charges_somebody(
    sendonce: SendOnce, service: Service, nobody: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequest, match="the message names no person"):
        await asked(sendonce, service, message=message(**nobody))

    assert service.store.asked == []


async def test_a_button_under_our_own_message_needs_a_key_of_its_own(
    sendonce: SendOnce, service: Service
) -> None:
    menu = message(from_user=OURSELVES)

    with pytest.raises(InvalidRequest, match="pass the callback query instead"):
        await asked(sendonce, service, message=menu, user_id=5)
    request = await asked(sendonce, service, message=menu, user_id=5, key="query-1")

    assert (request.chat_id, request.user_id, request.key) == (5, 5, "query-1")


@pytest.mark.parametrize(
    "tag, two",
    [
        ("ru", "ru"),
        ("pt-br", "pt"),
        ("zh-hans", "zh"),
        ("EN", "en"),
        ("fil", None),
        ("", None),
        (None, None),
    ],
)
def test_a_client_language_is_two_letters(tag: str | None, two: str | None) -> None:
    assert language(tag) == two
