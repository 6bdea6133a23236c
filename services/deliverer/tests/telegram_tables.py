"""Tables 2.3, 5.3 and 6.2 of telegram.md: edits, floods, media."""

from deliverer.domain.bodies import Way
from deliverer.domain.faults import ApiError
from telegram_rows import (
    AGAIN,
    AMBIGUOUS,
    DOCUMENT,
    DONE,
    GONE,
    LATER,
    UNEDITABLE,
    UPLOAD,
    Row,
    said,
    tried,
)

SECTION_2_3 = (
    Row(
        text="message is not modified: specified new message content and reply markup are exactly "
        "the same as a current content and reply markup of the message",
        fault=said("message is not modified: specified new message content and reply markup"),
        edit=DONE,
        send=AMBIGUOUS,  # never said of a send: a done without an id proves nothing
    ),
    Row(
        text="message to edit not found",
        fault=said("message to edit not found"),
        edit=GONE,
        send=UPLOAD,
    ),
    Row(
        text="message can't be edited",
        fault=said("message can't be edited"),
        edit=UNEDITABLE,
        send=UPLOAD,
    ),
    Row(
        text="message media can't be edited",
        fault=said("message media can't be edited"),
        edit=UNEDITABLE,
        send=UPLOAD,
    ),
    Row(
        text="there is no text in the message to edit",
        fault=said("there is no text in the message to edit"),
        edit=tried(Way.CAPTION),
        send=UPLOAD,
    ),
    Row(
        text="canceled by new edit message request",
        fault=said("canceled by new edit message request"),
        edit=AGAIN,
        send=UPLOAD,
    ),
    Row(text="message_id_invalid", fault=said("message_id_invalid"), edit=GONE, send=UPLOAD),
    Row(text="MESSAGE_ID_INVALID", fault=said("MESSAGE_ID_INVALID"), edit=GONE, send=UPLOAD),
)

SECTION_5_3 = (
    Row(
        text="FLOOD_WAIT_N, N > 8: fast answer",
        fault=ApiError(code=429, text="Too Many Requests: retry after 37", retry_after=37),
        edit=LATER,
        send=LATER,
    ),
    Row(
        text="cumulated short FLOOD_WAITs > 8 s: N <= 8, elapsed >= few s",
        fault=ApiError(code=429, text="Too Many Requests: retry after 3", retry_after=3),
        elapsed=8.0,
        edit=LATER,
        send=LATER,
    ),
    Row(
        text="internal 500 / -503 timeouts retried: retry after 8, elapsed >= 7 s",
        fault=ApiError(code=429, text="Too Many Requests: retry after 8", retry_after=8),
        elapsed=7.0,
        edit=LATER,
        send=AMBIGUOUS,
    ),
    Row(
        text="retry after 8, but at once",
        fault=ApiError(code=429, text="Too Many Requests: retry after 8", retry_after=8),
        elapsed=6.9,
        edit=LATER,
        send=LATER,
    ),
    Row(
        text="WORKER_BUSY_TOO_LONG_RETRY repeated: retry after 1, elapsed >= 8 s",
        fault=ApiError(code=429, text="Too Many Requests: retry after 1", retry_after=1),
        elapsed=8.0,
        edit=LATER,
        send=AMBIGUOUS,
    ),
    Row(
        text="cloud concurrency caps: retry after 60, after a 3 s delay",
        fault=ApiError(code=429, text="Too Many Requests: retry after 60", retry_after=60),
        elapsed=3.0,
        edit=LATER,
        send=LATER,
    ),
    Row(
        text="query dropped without answer (shutdown): retry after 5",
        fault=ApiError(code=429, text="Too Many Requests: retry after 5", retry_after=5),
        elapsed=7.5,
        edit=LATER,
        send=AMBIGUOUS,
    ),
)

SECTION_6_2 = (
    Row(
        text="failed to get HTTP URL content",
        fault=said("failed to get HTTP URL content"),
        edit=AGAIN,
        send=AGAIN,
    ),
    Row(
        text="WEBPAGE_CURL_FAILED",
        fault=said("WEBPAGE_CURL_FAILED"),
        edit=AGAIN,
        send=AGAIN,
    ),
    Row(
        text="wrong type of the web page content",
        fault=said("wrong type of the web page content"),
        edit=UPLOAD,
        send=UPLOAD,
    ),
    Row(
        text="WEBPAGE_MEDIA_EMPTY",
        fault=said("WEBPAGE_MEDIA_EMPTY"),
        edit=UPLOAD,
        send=UPLOAD,
    ),
    Row(
        text="wrong HTTP URL specified",
        fault=said("wrong HTTP URL specified"),
        edit=UPLOAD,
        send=UPLOAD,
    ),
    Row(
        text="EXTERNAL_URL_INVALID",
        fault=said("EXTERNAL_URL_INVALID"),
        edit=UPLOAD,
        send=UPLOAD,
    ),
    Row(
        text="WC_CONVERT_URL_INVALID",
        fault=said("WC_CONVERT_URL_INVALID"),
        edit=UPLOAD,
        send=UPLOAD,
    ),
    Row(
        text="wrong file identifier/HTTP URL specified",
        fault=said("wrong file identifier/HTTP URL specified"),
        edit=UPLOAD,
        send=UPLOAD,
    ),
    Row(text="MEDIA_EMPTY", fault=said("MEDIA_EMPTY"), edit=UPLOAD, send=UPLOAD),
    Row(
        text="wrong remote file identifier specified: …",
        fault=said("wrong remote file identifier specified: Wrong padding in the string"),
        file_id="AgACAgIAAxk",
        edit=tried(Way.URL),
        send=tried(Way.URL),
    ),
    Row(
        text="can't upload file by URL",
        fault=said("can't upload file by URL"),
        edit=UPLOAD,
        send=UPLOAD,
    ),
    *(
        Row(text=text, fault=said(text), edit=DOCUMENT, send=DOCUMENT)
        for text in (
            "PHOTO_INVALID_DIMENSIONS",
            "photo has unsupported extension. Use one of .jpg, .jpeg, .gif, .png, .tif or .bmp",
            "IMAGE_PROCESS_FAILED",
            "PHOTO_SAVE_FILE_INVALID",
        )
    ),
    Row(text="file is too big", fault=said("file is too big"), edit=UPLOAD, send=UPLOAD),
    Row(
        text="request entity too large (413)",
        fault=ApiError(code=413, text="Request Entity Too Large"),
        edit=UPLOAD,
        send=UPLOAD,
    ),
    Row(
        text="file must be non-empty",
        fault=said("file must be non-empty"),
        edit=UPLOAD,
        send=UPLOAD,
    ),
    Row(
        text="group send failed",
        fault=said("group send failed"),
        parts=2,
        edit=UPLOAD,  # never said of an edit
        send=UPLOAD,
    ),
    Row(
        text='failed to send message #K with the error message "<URL error>"',
        fault=said('failed to send message #2 with the error message "WEBPAGE_MEDIA_EMPTY"'),
        parts=2,
        edit=UPLOAD,
        send=UPLOAD,
    ),
    Row(
        text='failed to send message #K with the error message "message was not sent"',
        fault=said('failed to send message #2 with the error message "message was not sent"'),
        parts=2,
        edit=AGAIN,
        send=AMBIGUOUS,
    ),
    Row(
        text='failed to send message #K with the error message "Too Many Requests"',
        fault=said(
            'failed to send message #1 with the error message "Too Many Requests: retry after 8"'
        ),
        parts=2,
        edit=AGAIN,
        send=AMBIGUOUS,
    ),
    Row(
        text='failed to send message #K with the error message "<nobody knows what>"',
        fault=said('failed to send message #1 with the error message "SOMETHING_NEW"'),
        parts=2,
        edit=AGAIN,
        send=AMBIGUOUS,
    ),
    *(
        Row(text=text, fault=said(text), parts=2, edit=UPLOAD, send=UPLOAD)
        for text in (
            "can't use the media of the specified type in the album",
            "MEDIA_GROUPED_INVALID",
        )
    ),
    Row(
        text="not enough rights to send photos/videos/… to the chat",
        fault=said("not enough rights to send photos to the chat"),
        edit=DOCUMENT,
        send=DOCUMENT,
    ),
)
