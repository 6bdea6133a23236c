"""The fast import knows the same aiogram as the normal one, for all we use of it."""

import json
import subprocess
import sys
from typing import Any

import pytest

USE = """
import json, sys, time
from deliverer import app
from deliverer.telegram.aiogram_import import load_aiogram
load_aiogram(fast=sys.argv[1] == "fast")
from deliverer.handlers import acting, requests
started = time.process_time()

from aiogram.methods import DeleteMessage
from aiogram.methods.base import Response
from aiogram.types import Message, ResponseParameters
from pydantic import ValidationError
from contracts.markup import Button, Entity
from deliverer.domain.bodies import CaptionBody, CollageBody, MediaBody, Medium, TextBody
from deliverer.domain.files import File
from deliverer.domain.posts import Place
from deliverer.domain.sniff import Shape
from deliverer.telegram import methods as ours

link = Entity(type="text_link", offset=0, length=1, url="https://x.example/")
mention = Entity(type="text_mention", offset=1, length=1, user_id=7)
emoji = Entity(type="custom_emoji", offset=2, length=1, custom_emoji_id="5")
rich = [Entity(type=one, offset=0, length=2) for one in (
    "bold", "italic", "underline", "strikethrough", "spoiler", "code", "unknown")]
buttons = ((Button(text="a", data="b"), Button(text="c", url="https://x.example/")),)
file = File("a.bin", b"bytes", Shape.DOCUMENT)
media = [MediaBody(shape, "https://x.example/a", "words", (link,), buttons) for shape in Shape]
collage = CollageBody(
    tuple(Medium(shape, "https://x.example/a") for shape in Shape) * 2, "words", (link, *rich), buttons
)
bodies = [TextBody("text", (link, mention, emoji), buttons), *media, collage]
place = Place(chat_id=1, thread_id=2, reply_to=3, protect=True)
photos = tuple(MediaBody(Shape.PHOTO, "https://x.example/a") for _ in range(2))
methods = [
    DeleteMessage(chat_id=1, message_id=2),
    ours.edit(1, 2, CaptionBody("words", (link,), buttons)),
    *(ours.edit(1, 2, body) for body in bodies),
    *(ours.send(place, body, silent=True) for body in bodies),
    ours.send_album(place, photos, silent=True),
]
chat = {"id": 1, "type": "private", "first_name": "U"}
photo = {"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1, "file_size": 1}
document = {"file_id": "d", "file_unique_id": "u", "file_name": "a.bin"}
video = {"file_id": "v", "file_unique_id": "u", "width": 1, "height": 1, "duration": 1}
sound = {"file_id": "a", "file_unique_id": "u", "duration": 1}
base = {"message_id": 5, "date": 1, "chat": chat, "from": {"id": 2, "is_bot": True, "first_name": "B"}}
blocks = [
    {"type": "collage", "blocks": [{"type": "photo", "photo": [photo]}, {"type": "video", "video": video}]},
    {"type": "audio", "audio": sound},
    {"type": "paragraph", "text": ["x", {"type": "bold", "text": "y"}]},
]
results = [
    {**base, "text": "x", "entities": [{"type": "bold", "offset": 0, "length": 1}]},
    {**base, "photo": [photo], "caption": "x"},
    {**base, "video": video},
    {**base, "animation": video, "document": document},
    {**base, "audio": sound},
    {**base, "voice": sound},
    {**base, "document": document},
    {**base, "rich_message": {"blocks": blocks}},
    {**base, "reply_to_message": {**base, "text": "y"}},
    {**base, "forward_origin": {"type": "user", "date": 1, "sender_user": base["from"]}},
    {**base, "reply_markup": {"inline_keyboard": [[{"text": "a", "callback_data": "b"}]]}},
    {**base, "date": "yesterday"},
    [{**base, "photo": [photo]}, {**base, "video": video, "media_group_id": "g"}],
    True,
    "odd",
]
told = []
for method in methods:
    dumped = {name: repr(value) for name, value in method.model_dump(warnings=False).items()}
    told.append([type(method).__name__, dumped, sorted(type(method).model_fields)])
for result in results:
    for shape in (Message, Message | bool, bool, list[Message]):
        try:
            read = Response[shape].model_validate({"ok": True, "result": result})
            told.append([repr(read.result)])
        except ValidationError as wrong:
            told.append([[one["type"], list(one["loc"])] for one in wrong.errors()])
error = {"ok": False, "error_code": 429, "description": "x", "parameters": {"retry_after": 3}}
told.append(repr(Response[Message].model_validate(error)))
print(json.dumps({"told": told, "started": started}))
"""

CPU_SECONDS = 3.0  # of a start up to where the first request could be read; a restart costs these

# Of the CPU time up to where the first request could be read, which every restart costs. A share, not
# seconds: machines differ by a factor of two.
MOST_OF_A_NORMAL_START = 0.67


def told(script: str, *arguments: str) -> Any:
    """Run a script in a process of its own and read what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


@pytest.mark.timeout(120)
def test_a_fast_start_knows_the_same_types_and_methods_and_costs_two_thirds_at_most(
    record_property,
):
    fast, normal = told(USE, "fast"), told(USE, "normal")

    record_property("cpu_seconds", {"fast": fast["started"], "normal": normal["started"]})
    assert fast["told"] == normal["told"]
    assert fast["started"] < MOST_OF_A_NORMAL_START * normal["started"]
