"""Tables 7.2 and 7.3 of telegram.md: what a call ends in, and what Telegram answers."""

from deliverer.domain.faults import ApiError, Broken, Undecodable
from telegram_rows import (
    AGAIN,
    AMBIGUOUS,
    BLOCKED,
    CHAT_GONE,
    DONE,
    LATER,
    MIGRATED,
    NO_RIGHTS,
    NOT_SENT,
    SENT,
    UPLOAD,
    Row,
    after,
    before,
    said,
)

SECTION_7_2 = (
    Row(text="DNS failure", fault=before("ClientConnectorDNSError"), edit=NOT_SENT, send=NOT_SENT),
    Row(
        text="refused / TCP or TLS reset / FIN during handshake",
        fault=before("ClientConnectorError"),
        edit=NOT_SENT,
        send=NOT_SENT,
    ),
    Row(
        text="bad certificate",
        fault=Broken(reason="certificate", left_us=False, distrusted=True),
        edit=LATER,  # until the owner acts: a stranger in the middle, or a wrong clock
        send=LATER,
    ),
    Row(
        text="connect or TLS stall, pool wait, with sock_connect/connect set",
        fault=before("ConnectionTimeoutError"),
        edit=NOT_SENT,
        send=NOT_SENT,
    ),
    Row(
        text="same with aiogram's default float timeout",
        # Avoided: every call of ours carries both limits, and the witness saw nothing leave.
        fault=before("TimeoutError"),
        edit=NOT_SENT,
        send=NOT_SENT,
    ),
    Row(
        text="server closes after reading request",
        fault=after("ServerDisconnectedError"),
        edit=AMBIGUOUS,
        send=AMBIGUOUS,
    ),
    Row(
        text="RST after reading / while uploading body",
        fault=after("ClientOSError"),
        edit=AMBIGUOUS,
        send=AMBIGUOUS,
    ),
    Row(text="no answer", fault=after("TimeoutError"), edit=AMBIGUOUS, send=AMBIGUOUS),
    Row(
        text="truncated response",
        fault=after("ClientPayloadError"),
        edit=AMBIGUOUS,
        send=AMBIGUOUS,
    ),
    Row(
        text="502/504 HTML from proxy",
        fault=after("HTTP 502 with an unreadable body"),
        edit=AMBIGUOUS,
        send=AMBIGUOUS,
    ),
    Row(
        text="502 JSON / 500 restart",
        fault=ApiError(code=500, text="Internal Server Error: restart"),
        edit=AMBIGUOUS,
        send=AMBIGUOUS,
    ),
    Row(
        text="HTTP 200 ok:true but model mismatch",
        fault=Undecodable(message_id=7),
        edit=DONE,
        send=SENT,
    ),
    Row(
        text="HTTP 200 ok:true but model mismatch, of an album",
        fault=Undecodable(message_id=None, album_ids=(7, 8)),
        parts=2,
        edit=DONE,
        send=SENT,
    ),
    Row(
        text="caller wait_for/cancel",
        fault=after("CancelledError"),
        edit=AMBIGUOUS,
        send=AMBIGUOUS,
    ),
)

SECTION_7_3 = (
    *(
        Row(text=f"{code} {text}", fault=said(text, code), edit=CHAT_GONE, send=CHAT_GONE)
        for code, text in (
            (400, "chat not found"),
            (400, "private chat not found"),
            (403, "bot can't initiate conversation with a user"),
            (403, "the bot can't send messages to the bot"),
            (403, "bot was kicked from the supergroup chat"),
            (403, "bot is not a member of the channel chat"),
            (403, "the group chat was deleted"),
        )
    ),
    *(
        Row(text=f"403 {text}", fault=said(text, 403), edit=BLOCKED, send=BLOCKED)
        for text in ("bot was blocked by the user", "user is deactivated")
    ),
    Row(
        text="400 group chat was upgraded to a supergroup chat + migrate_to_chat_id",
        fault=ApiError(
            code=400,
            text="Bad Request: group chat was upgraded to a supergroup chat",
            migrate_to=-1001,
        ),
        edit=MIGRATED,
        send=MIGRATED,
    ),
    *(
        # An edit names no topic; a send goes to the main one.
        Row(text=f"400 {text}", fault=said(text), edit=UPLOAD, send=AGAIN)
        for text in ("message thread not found", "TOPIC_CLOSED", "TOPIC_DELETED")
    ),
    Row(
        text="400 message to be replied not found",
        fault=said("message to be replied not found"),
        edit=UPLOAD,
        send=AGAIN,
    ),
    *(
        Row(text=f"400 {text}", fault=said(text), edit=AGAIN, send=AGAIN)
        for text in (
            "can't parse entities: unclosed start tag at byte offset 0",
            "message is too long",
            "message text is empty",
            "message caption is too long",
            "ENTITIES_TOO_LONG",
            "BUTTON_URL_INVALID",
            "BUTTON_DATA_INVALID",
        )
    ),
    *(
        Row(text=f"400 {text}", fault=said(text), edit=NO_RIGHTS, send=NO_RIGHTS)
        for text in (
            "not enough rights to send text messages to the chat",
            "CHAT_WRITE_FORBIDDEN",
            "CHAT_ADMIN_REQUIRED",
        )
    ),
    *(
        Row(text=text, fault=ApiError(code=code, text=text), edit=LATER, send=LATER)
        for code, text in (
            (401, "Unauthorized"),
            (404, "Not Found"),
            (409, "Conflict: terminated by other getUpdates request"),
            (421, "Misdirected Request"),
            (406, "NOT_ACCEPTABLE"),
        )
    ),
    Row(
        text="413",
        fault=ApiError(code=413, text="Request Entity Too Large"),
        edit=UPLOAD,
        send=UPLOAD,
    ),
    Row(
        text="429",
        fault=ApiError(code=429, text="Too Many Requests: retry after 3", retry_after=3),
        edit=LATER,
        send=LATER,
    ),
    Row(
        text="500 sent message was immediately deleted and can't be returned",
        fault=ApiError(
            code=500,
            text="Internal Server Error: sent message was immediately deleted and can't be returned",
        ),
        edit=AMBIGUOUS,
        send=AMBIGUOUS,  # sent and gone: never sent again, never called shown
    ),
    Row(
        text="other 5xx",
        fault=ApiError(code=503, text="Service Unavailable"),
        edit=AMBIGUOUS,
        send=AMBIGUOUS,
    ),
)
