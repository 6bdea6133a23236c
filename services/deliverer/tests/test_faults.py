"""The tables of telegram.md, row by row, and the laws they keep together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverer.domain.answers import (
    BotStopped,
    Call,
    Denied,
    Done,
    Moved,
    Trouble,
    Unclear,
    Unsent,
    Vanished,
    Wait,
)
from deliverer.domain.faults import WORDS, ApiError, Broken, Undecodable, judge

calls = st.sampled_from(Call)
texts = st.text(max_size=60) | st.sampled_from([fragment for fragment, _ in WORDS])

ROWS_400 = [
    ("message to edit not found", Trouble.GONE),
    ("MESSAGE_ID_INVALID", Trouble.GONE),
    ("message can't be edited", Trouble.UNEDITABLE),
    ("message media can't be edited", Trouble.UNEDITABLE),
    ("there is no text in the message to edit", Trouble.NO_TEXT),
    ("canceled by new edit message request", Trouble.SUPERSEDED),
    ("failed to get HTTP URL content", Trouble.URL_UNREACHED),
    ("wrong type of the web page content", Trouble.URL_REFUSED),
    ("wrong HTTP URL specified", Trouble.URL_REFUSED),
    ("wrong file identifier/HTTP URL specified", Trouble.URL_REFUSED),
    ("wrong remote file identifier specified: Wrong padding", Trouble.FILE_ID_BAD),
    ("can't upload file by URL", Trouble.URL_REFUSED),
    ("PHOTO_INVALID_DIMENSIONS", Trouble.NOT_A_PHOTO),
    ("photo has unsupported extension. Use one of .jpg", Trouble.NOT_A_PHOTO),
    ("IMAGE_PROCESS_FAILED", Trouble.NOT_A_PHOTO),
    ("PHOTO_SAVE_FILE_INVALID", Trouble.NOT_A_PHOTO),
    ("file is too big", Trouble.TOO_BIG),
    ("file must be non-empty", Trouble.EMPTY_FILE),
    ("not enough rights to send photos to the chat", Trouble.TYPE_FORBIDDEN),
    ("CHAT_SEND_VIDEOS_FORBIDDEN", Trouble.TYPE_FORBIDDEN),
    ("not enough rights to send text messages to the chat", Trouble.NO_RIGHTS),
    ("CHAT_WRITE_FORBIDDEN", Trouble.NO_RIGHTS),
    ("CHAT_ADMIN_REQUIRED", Trouble.NO_RIGHTS),
    ("chat not found", Trouble.CHAT_GONE),
    ("private chat not found", Trouble.CHAT_GONE),
    ("message thread not found", Trouble.THREAD),
    ("TOPIC_CLOSED", Trouble.THREAD),
    ("message to be replied not found", Trouble.THREAD),
    ("can't parse entities: unclosed start tag", Trouble.PAYLOAD),
    ("message is too long", Trouble.PAYLOAD),
    ("message text is empty", Trouble.PAYLOAD),
    ("message caption is too long", Trouble.PAYLOAD),
    ("ENTITIES_TOO_LONG", Trouble.PAYLOAD),
    ("BUTTON_URL_INVALID", Trouble.PAYLOAD),
    ("something nobody has seen before", Trouble.OTHER),
]
ROWS_403 = [
    ("bot was blocked by the user", Trouble.BLOCKED),
    ("user is deactivated", Trouble.BLOCKED),
    ("bot was kicked from the supergroup chat", Trouble.CHAT_GONE),
    ("bot is not a member of the channel chat", Trouble.CHAT_GONE),
    ("the group chat was deleted", Trouble.CHAT_GONE),
    ("bot can't initiate conversation with a user", Trouble.CHAT_GONE),
    ("the bot can't send messages to the bot", Trouble.CHAT_GONE),
    ("not enough rights", Trouble.NO_RIGHTS),
    ("something nobody has seen before", Trouble.NO_RIGHTS),
]


@pytest.mark.parametrize("text, trouble", ROWS_400)
def test_a_400_is_certainly_not_done_and_says_why(text, trouble):
    fault = ApiError(code=400, text=f"Bad Request: {text}")

    assert judge(fault, call=Call.EDIT, elapsed=0.1) == Denied(trouble, fault.text)


@pytest.mark.parametrize("text, trouble", ROWS_403)
def test_a_403_is_about_the_chat(text, trouble):
    fault = ApiError(code=403, text=f"Forbidden: {text}")

    assert judge(fault, call=Call.SEND, elapsed=0.1) == Denied(trouble, fault.text)


def test_not_modified_is_done():
    fault = ApiError(code=400, text="Bad Request: message is not modified: specified new message")

    assert judge(fault, call=Call.EDIT, elapsed=0.1) == Done()


@pytest.mark.parametrize("seconds", [1, 5, 8])
def test_a_slow_429_may_hide_a_sent_message(seconds):
    fault = ApiError(code=429, text="Too Many Requests", retry_after=seconds)

    assert isinstance(judge(fault, call=Call.SEND, elapsed=7.0), Unclear)
    assert judge(fault, call=Call.SEND, elapsed=6.9) == Wait(fault.text, seconds)
    assert judge(fault, call=Call.EDIT, elapsed=7.0) == Wait(fault.text, seconds)


def test_a_429_without_a_number_is_read_from_its_text():
    fault = ApiError(code=429, text="Too Many Requests: retry after 37")

    assert judge(fault, call=Call.SEND, elapsed=9) == Wait(fault.text, 37)


@pytest.mark.parametrize(
    "fault, answer",
    [
        (ApiError(code=400, text="upgraded", migrate_to=-100), Moved(-100)),
        (ApiError(code=401, text="Unauthorized"), BotStopped("401 Unauthorized")),
        (ApiError(code=404, text="Not Found"), BotStopped("404 Not Found")),
        (ApiError(code=406, text="frozen"), BotStopped("406 frozen")),
        (ApiError(code=409, text="Conflict"), BotStopped("409 Conflict")),
        (ApiError(code=421, text="Misdirected"), BotStopped("421 Misdirected")),
        (ApiError(code=413, text="large"), Denied(Trouble.TOO_BIG, "large")),
        (ApiError(code=500, text="Internal: restart"), Unclear("Internal: restart")),
        (ApiError(code=502, text="Bad Gateway"), Unclear("Bad Gateway")),
        (
            ApiError(code=500, text="sent message was immediately deleted and can't be returned"),
            Vanished("sent message was immediately deleted and can't be returned"),
        ),
        (Broken(reason="refused", left_us=False), Unsent("refused")),
        (Broken(reason="reset", left_us=True), Unclear("reset")),
        (Broken(reason="bad cert", left_us=False, distrusted=True), BotStopped("bad cert")),
        (Undecodable(message_id=7), Done(message_id=7)),
    ],
)
def test_the_rest_of_the_table(fault, answer):
    assert judge(fault, call=Call.SEND, elapsed=0.1) == answer


@given(code=st.integers(500, 599), text=texts, call=calls)
def test_a_server_error_is_never_certain(code, text, call):
    answer = judge(ApiError(code=code, text=text), call=call, elapsed=0.1)

    assert isinstance(answer, Unclear | Vanished)


@given(code=st.sampled_from([400, 401, 403, 404, 406, 409, 413, 421]), text=texts, call=calls)
def test_a_refusal_is_never_ambiguous(code, text, call):
    answer = judge(ApiError(code=code, text=text), call=call, elapsed=60)

    assert not isinstance(answer, Unclear | Vanished | Unsent)


@given(left_us=st.booleans(), call=calls, elapsed=st.floats(0, 100))
def test_only_what_never_left_us_is_not_sent(left_us, call, elapsed):
    answer = judge(Broken(reason="x", left_us=left_us), call=call, elapsed=elapsed)

    assert isinstance(answer, Unclear if left_us else Unsent)
