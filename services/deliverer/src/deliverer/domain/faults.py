"""The tables that turn a failed call into an answer; telegram.md sections 2.3, 5.3, 6.2 and 7."""

import re
from dataclasses import dataclass
from typing import Final

from deliverer.domain.answers import (
    Answer,
    BotStopped,
    Call,
    Denied,
    Done,
    Moved,
    Standing,
    Trouble,
    Unclear,
    Unsent,
    Vanished,
    Wait,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiError:
    """Telegram answered, readably, that it did not succeed."""

    code: int
    text: str
    retry_after: int | None = None
    migrate_to: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """No readable answer came."""

    reason: str
    left_us: bool  # whether a byte of the request may have reached anybody
    distrusted: bool = False  # the other side's certificate is not Telegram's


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecodable:
    """Telegram said ok in words our client could not read."""

    message_id: int | None
    album_ids: tuple[int, ...] = ()


Fault = ApiError | Broken | Undecodable

# The server repeats its own failures inside the call for 1 + 2 + 4 s and then calls them a 429.
DISGUISED_WAITS: Final = frozenset({1, 5, 8})
DISGUISED_AFTER: Final = 7.0
UNNAMED_WAIT: Final = 5.0  # a 429 that does not say how long

BAD_REQUEST, FORBIDDEN, TOO_LARGE, TOO_MANY, SERVER_ERROR = 400, 403, 413, 429, 500

NOT_MODIFIED: Final = "message is not modified"
VANISHED: Final = "sent message was immediately deleted"

_RETRY_AFTER: Final = re.compile(r"retry after (\d+)")
# "not enough rights to send text messages" is about everything, the others about one type.
_TYPE_FORBIDDEN: Final = re.compile(
    r"not enough rights to send (?!text)\w+|chat_send_(?!plain)\w+_forbidden"
    r"|voice_messages_forbidden|restricted receiving of (?:voice|video)"
)
_ALBUM_ITEM: Final = re.compile(
    r'failed to send message #(\d+) with the error message "?(.*)', re.DOTALL
)
# Said of an item after the album was handed over: others of it may stand.
_PARTIAL: Final = ("message was not sent", "too many requests")

# The first substring that occurs decides, so the special stands above the general.
WORDS: Final = (
    ("message to edit not found", Trouble.GONE),
    ("message to delete not found", Trouble.GONE),
    ("message_id_invalid", Trouble.GONE),
    ("message can't be edited", Trouble.UNEDITABLE),
    ("message media can't be edited", Trouble.UNEDITABLE),
    ("message can't be deleted", Trouble.UNEDITABLE),
    ("there is no text in the message to edit", Trouble.NO_TEXT),
    ("canceled by new edit message request", Trouble.SUPERSEDED),
    ("failed to get http url content", Trouble.URL_UNREACHED),
    ("webpage_curl_failed", Trouble.URL_UNREACHED),
    ("wrong type of the web page content", Trouble.URL_REFUSED),
    ("webpage_media_empty", Trouble.URL_REFUSED),
    ("wrong http url specified", Trouble.URL_REFUSED),
    ("external_url_invalid", Trouble.URL_REFUSED),
    ("wc_convert_url_invalid", Trouble.URL_REFUSED),
    ("wrong file identifier/http url specified", Trouble.URL_REFUSED),
    ("media_empty", Trouble.URL_REFUSED),
    ("can't upload file by url", Trouble.URL_REFUSED),
    ("can't use file of type", Trouble.FILE_ID_TYPE),
    ("wrong remote file identifier", Trouble.FILE_ID_BAD),
    ("wrong file identifier", Trouble.FILE_ID_BAD),
    ("photo_invalid_dimensions", Trouble.NOT_A_PHOTO),
    ("photo has unsupported extension", Trouble.NOT_A_PHOTO),
    ("image_process_failed", Trouble.NOT_A_PHOTO),
    ("photo_save_file_invalid", Trouble.NOT_A_PHOTO),
    ("file is too big", Trouble.TOO_BIG),
    ("request entity too large", Trouble.TOO_BIG),
    ("file must be non-empty", Trouble.EMPTY_FILE),
    ("group send failed", Trouble.ALBUM),
    ("media of the specified type in the album", Trouble.ALBUM),
    ("media_grouped_invalid", Trouble.ALBUM),
    ("can't be mixed with other media types", Trouble.ALBUM),
    ("can't be used in an album", Trouble.ALBUM),
    ("can't be used in sendmediagroup", Trouble.ALBUM),
    ("message thread not found", Trouble.THREAD),
    ("topic_closed", Trouble.THREAD),
    ("topic_deleted", Trouble.THREAD),
    ("message to be replied not found", Trouble.THREAD),
    ("can't parse entities", Trouble.PAYLOAD),
    ("message is too long", Trouble.PAYLOAD),
    ("message_too_long", Trouble.PAYLOAD),
    ("message text is empty", Trouble.PAYLOAD),
    ("text must be", Trouble.PAYLOAD),
    ("caption is too long", Trouble.PAYLOAD),
    ("media_caption_too_long", Trouble.PAYLOAD),
    ("entities_too_long", Trouble.PAYLOAD),
    ("entity_", Trouble.PAYLOAD),
    ("button_", Trouble.PAYLOAD),
    ("inline keyboard", Trouble.PAYLOAD),
    ("reply_markup", Trouble.PAYLOAD),
    ("bot was blocked by the user", Trouble.BLOCKED),
    ("user is deactivated", Trouble.BLOCKED),
    ("chat not found", Trouble.CHAT_GONE),
    ("peer_id_invalid", Trouble.CHAT_GONE),
    ("can't initiate conversation", Trouble.CHAT_GONE),
    ("can't send messages to the bot", Trouble.CHAT_GONE),
    ("can't send messages to bots", Trouble.CHAT_GONE),
    ("bot was kicked", Trouble.CHAT_GONE),
    ("bot is not a member", Trouble.CHAT_GONE),
    ("chat was deleted", Trouble.CHAT_GONE),
    ("not enough rights", Trouble.NO_RIGHTS),
    ("no rights to send", Trouble.NO_RIGHTS),
    ("need administrator rights", Trouble.NO_RIGHTS),
    ("chat_write_forbidden", Trouble.NO_RIGHTS),
    ("chat_send_plain_forbidden", Trouble.NO_RIGHTS),
    ("chat_admin_required", Trouble.NO_RIGHTS),
    ("chat_restricted", Trouble.NO_RIGHTS),
)


def judge(fault: Fault, *, call: Call, elapsed: float) -> Answer:
    """Say what a failed call came to; `elapsed` are the seconds it took."""
    match fault:
        case Undecodable(message_id=message_id, album_ids=ids):
            return Done(message_id=message_id, album=tuple(map(Standing, ids)))
        case Broken(distrusted=True):
            return BotStopped(fault.reason)
        case Broken(left_us=True):
            return Unclear(fault.reason)
        case Broken():
            return Unsent(fault.reason)
        case ApiError():
            return _judge_api(fault, call=call, elapsed=elapsed)


def _judge_api(error: ApiError, *, call: Call, elapsed: float) -> Answer:
    if error.retry_after is not None or error.code == TOO_MANY:
        return _judge_flood(error, call=call, elapsed=elapsed)
    if error.migrate_to is not None:
        return Moved(error.migrate_to)
    words = error.text.lower()
    if error.code in (BAD_REQUEST, FORBIDDEN):
        return _judge_refusal(error, words)
    if error.code == TOO_LARGE:
        return Denied(Trouble.TOO_BIG, error.text)
    if error.code >= SERVER_ERROR:
        return Vanished(error.text) if VANISHED in words else Unclear(error.text)
    # 401, 404, 406, 409, 421: a bad token, a frozen bot, a wrong server.
    return BotStopped(f"{error.code} {error.text}")


def _judge_refusal(error: ApiError, words: str) -> Answer:
    if NOT_MODIFIED in words:
        return Done()
    item = _ALBUM_ITEM.search(words)
    if item is None:
        return Denied(trouble(error.code, words), error.text)
    found = trouble(error.code, item[2])
    # Only what is known to be said before anything is sent proves that nothing was.
    if any(one in item[2] for one in _PARTIAL) or found is Trouble.OTHER:
        return Unclear(error.text)
    return Denied(found, error.text, item=int(item[1]))


def _judge_flood(error: ApiError, *, call: Call, elapsed: float) -> Answer:
    named = error.retry_after
    if named is None and (found := _RETRY_AFTER.search(error.text.lower())):
        named = int(found[1])
    disguised = named in DISGUISED_WAITS and elapsed >= DISGUISED_AFTER
    if call is Call.SEND and disguised:
        return Unclear(f"{error.text}, after {elapsed:.1f} s")
    return Wait(error.text, UNNAMED_WAIT if named is None else float(named))


def trouble(code: int, words: str) -> Trouble:
    """Name the trouble behind the lower-cased text of a 400 or 403."""
    if _TYPE_FORBIDDEN.search(words):
        return Trouble.TYPE_FORBIDDEN
    for fragment, found in WORDS:
        if fragment in words:
            return found
    return Trouble.NO_RIGHTS if code == FORBIDDEN else Trouble.OTHER
