"""The fast import knows the same aiogram as the normal one, for all we use of it."""

import json
import subprocess
import sys

import pytest

USE = """
import json, sys, time
from deliverer.telegram.aiogram_import import load_aiogram
started = time.perf_counter()
load_aiogram(fast=sys.argv[1] == "fast")
imported = time.perf_counter() - started

from aiogram.methods import DeleteMessage, EditMessageCaption, EditMessageMedia
from aiogram.methods import EditMessageText, SendMessage
from aiogram.methods.base import Response
from aiogram.types import (
    BufferedInputFile, InputMediaAudio, InputMediaDocument, InputMediaPhoto, InputMediaVideo,
    LinkPreviewOptions, Message, MessageEntity, ReplyParameters, ResponseParameters,
)
from pydantic import ValidationError
from deliverer.domain.bodies import File, MediaBody
from deliverer.domain.sniff import Shape
from deliverer.telegram import media_types

entity = MessageEntity(type="text_link", offset=0, length=1, url="https://x.example/")
bodies = [MediaBody(shape, "https://x.example/a", "words") for shape in Shape]
methods = [
    SendMessage(
        chat_id=1, message_thread_id=2, text="x", parse_mode=None, disable_notification=True,
        link_preview_options=LinkPreviewOptions(is_disabled=True),
        reply_parameters=ReplyParameters(message_id=3, allow_sending_without_reply=True),
    ),
    EditMessageText(chat_id=1, message_id=2, text="x", parse_mode=None, entities=[entity]),
    EditMessageCaption(chat_id=1, message_id=2, caption="x", caption_entities=[entity]),
    DeleteMessage(chat_id=1, message_id=2),
    *(
        EditMessageMedia(chat_id=1, message_id=2, media=media_types.input_media(body, [entity]))
        for body in bodies
    ),
]
chat = {"id": 1, "type": "private", "first_name": "U"}
photo = {"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1, "file_size": 1}
document = {"file_id": "d", "file_unique_id": "u", "file_name": "a.bin"}
video = {"file_id": "v", "file_unique_id": "u", "width": 1, "height": 1, "duration": 1}
base = {"message_id": 5, "date": 1, "chat": chat, "from": {"id": 2, "is_bot": True, "first_name": "B"}}
results = [
    {**base, "text": "x", "entities": [{"type": "bold", "offset": 0, "length": 1}]},
    {**base, "photo": [photo], "caption": "x"},
    {**base, "video": video},
    {**base, "audio": {"file_id": "a", "file_unique_id": "u", "duration": 1}},
    {**base, "document": document},
    {**base, "reply_to_message": {**base, "text": "y"}},
    {**base, "forward_origin": {"type": "user", "date": 1, "sender_user": base["from"]}},
    {**base, "reply_markup": {"inline_keyboard": [[{"text": "a", "callback_data": "b"}]]}},
    {**base, "date": "yesterday"},
    True,
    "odd",
]
told = []
for method in methods:
    dumped = {name: repr(value) for name, value in method.model_dump(warnings=False).items()}
    told.append([type(method).__name__, dumped, sorted(type(method).model_fields)])
for result in results:
    for shape in (Message, Message | bool, bool):
        try:
            read = Response[shape].model_validate({"ok": True, "result": result})
            told.append([repr(read.result)])
        except ValidationError as wrong:
            told.append([[one["type"], list(one["loc"])] for one in wrong.errors()])
error = {"ok": False, "error_code": 429, "description": "x", "parameters": {"retry_after": 3}}
told.append(repr(Response[Message].model_validate(error)))
print(json.dumps({"told": told, "imported": imported}))
"""


def use(how: str):
    done = subprocess.run(
        [sys.executable, "-c", USE, how], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


@pytest.mark.timeout(120)
def test_both_imports_know_the_same_types_and_methods():
    fast, normal = use("fast"), use("normal")

    assert fast["told"] == normal["told"]
    assert fast["imported"] < normal["imported"]
