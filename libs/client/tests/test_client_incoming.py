"""What a job takes from the message that asked for it; real aiogram messages are the measure."""

from datetime import UTC, datetime
from typing import Any

import pytest
from aiogram.types import Chat, Message, User

from client_store import Service
from contracts.api import CreateJob, JobRequest
from sendonce import InvalidRequest, SendOnce
from sendonce.incoming import language

ANNA = User(id=5, is_bot=False, first_name="Anna", language_code="ru")
OURSELVES = User(id=9, is_bot=True, first_name="Shop")
FORUM = Chat(id=-1001, type="supergroup", is_forum=True)


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
    assert (request.key, request.reply_to, request.language) == ("5:42", 42, "ru")


async def test_the_same_message_twice_is_one_job(sendonce: SendOnce, service: Service) -> None:
    first = await sendonce.create(message=message(), model="m", input={})
    second = await sendonce.create(message=message(), model="m", input={})

    assert first.id == second.id
    assert not second.created


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

    with pytest.raises(InvalidRequest, match="pass key= as well"):
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
        ("fil", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_a_client_language_is_two_letters(tag: str | None, two: str) -> None:
    assert language(tag) == two
