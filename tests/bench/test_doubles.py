"""The doubles: cheap, and honest about what they saw."""

import json

import pytest

from bench.doubles import http
from bench.doubles.kie import finished
from bench.doubles.telegram import Telegram
from kie.reading import read_callback
from kie.values import State


def asked(telegram: Telegram, question: bytes) -> dict[str, object]:
    found: dict[str, object] = json.loads(telegram.answer(question, b""))
    return found


def test_a_result_counts_as_shown_when_its_mark_stands_in_a_call():
    telegram = Telegram()
    sent = json.loads(telegram.answer(b"/bot1:x/sendMessage", b"chat_id=7&text=Ready"))
    carrier = sent["result"]["message_id"]

    telegram.answer(
        b"/bot1:x/editMessageMedia",
        b"chat_id=7&message_id=%d&media=https%%3A%%2F%%2Ffiles%%2Fresult-ab12.png" % carrier,
    )

    assert sent["result"]["chat"]["id"] == 7
    assert list(asked(telegram, b"/shown")) == ["ab12"]
    assert asked(telegram, b"/counts") == {
        "shown": 1,
        "shown_twice": 0,
        "sendMessage": 1,
        "editMessageMedia": 1,
    }


def test_a_result_in_two_messages_is_told_and_a_repeated_edit_is_not():
    telegram = Telegram()
    for message_id in (1, 1, 2):
        telegram.answer(b"/bot1:x/editMessageText", b"message_id=%d&text=result-a" % message_id)
    telegram.answer(b"/bot1:x/editMessageText", b"message_id=3&text=result-b")
    telegram.answer(b"/bot1:x/editMessageText", b"message_id=3&text=result-b")

    counts = asked(telegram, b"/counts")

    assert (counts["shown"], counts["shown_twice"]) == (2, 1)


def test_a_message_is_split_only_when_it_is_whole():
    request = http.post("/callbacks", b'{"a":1}', host="h", headers={"X-Webhook-Timestamp": "1"})

    whole = http.split(request + b"POST")

    assert http.split(request[:-1]) is None
    assert whole is not None
    assert whole[0].startswith(b"POST /callbacks HTTP/1.1\r\n")
    assert whole[1:] == (b'{"a":1}', b"POST")


def test_a_message_of_unknown_length_is_refused():
    with pytest.raises(http.Unreadable):
        http.split(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n")


def test_its_callback_is_one_our_gateway_reads_as_a_success():
    reading = read_callback(finished("task-1", mark="ab12"))

    assert (reading.state, reading.task_id) == (State.SUCCEEDED, "task-1")
    assert [medium.url for medium in reading.media] == ["https://files.example/result-ab12.png"]
    assert not reading.anomalies
