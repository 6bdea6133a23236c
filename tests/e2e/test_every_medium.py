"""Every medium through the five services, judged by what the fake Telegram saw of its content."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import uuid4

import httpx
import pytest
from aiohttp import web

from contracts.api import JobView
from contracts.markup import Button, Entity
from contracts.reports import ReportedMedia
from contracts.values import JobState, MediaKind, MoneyState, PartState
from deployment import Deployment
from testkit.kie import SAMPLES
from testkit.kie.media import render
from testkit.telegram import Kind, ShownMessage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

CAPTION, BOLD = "A quiet sea", (Entity(type="bold", offset=2, length=5),)
BUTTONS = ((Button(text="Again", data="again"), Button(text="Site", url="https://example.org/")),)
KEYBOARD = {
    "inline_keyboard": [
        [
            {"text": "Again", "callback_data": "again"},
            {"text": "Site", "url": "https://example.org/"},
        ]
    ]
}
GIF = bytes.fromhex(
    "474946383961020002008000002f8fd8ffffff21ff0b4e45545343415045322e300301000000"
    "21f90400320000002c0000000002000200000202845100"
    "21f90400320000002c00000000020002000002024c0a003b"
)
OPUS = b"OggS\x00\x02" + bytes(20) + b"\x01\x13OpusHead\x01\x01" + bytes(40)
PDF = b"%PDF-1.7\n" + bytes(64)
LONG = "\n\n".join(f"Paragraph {number}. {'la ' * 190}" for number in range(12))


@dataclass(frozen=True, kw_only=True)
class Sort:
    """A file of some sort, what it is reported as, and what it must stand in the chat as."""

    suffix: str
    content: bytes
    mime: str
    reported: MediaKind
    edited: Kind
    sent: Kind


def made(suffix: str) -> bytes:
    file = render(task_id=f"every-{suffix}", number=1, suffix=suffix)
    assert file is not None
    return file.body


SORTS = {
    "image": Sort(
        suffix="png",
        content=made("png"),
        mime="image/png",
        reported=MediaKind.IMAGE,
        edited=Kind.PHOTO,
        sent=Kind.PHOTO,
    ),
    "animation": Sort(
        suffix="gif",
        content=GIF,
        mime="image/gif",
        reported=MediaKind.ANIMATION,
        edited=Kind.ANIMATION,
        sent=Kind.ANIMATION,
    ),
    "video": Sort(
        suffix="mp4",
        content=made("mp4"),
        mime="video/mp4",
        reported=MediaKind.VIDEO,
        edited=Kind.VIDEO,
        sent=Kind.VIDEO,
    ),
    "audio": Sort(
        suffix="mp3",
        content=made("mp3"),
        mime="audio/mpeg",
        reported=MediaKind.AUDIO,
        edited=Kind.AUDIO,
        sent=Kind.AUDIO,
    ),
    "voice": Sort(
        suffix="ogg",
        content=OPUS,
        mime="audio/ogg",
        reported=MediaKind.VOICE,
        edited=Kind.AUDIO,  # nothing can be edited into a voice note
        sent=Kind.VOICE,
    ),
    "document": Sort(
        suffix="pdf",
        content=PDF,
        mime="application/pdf",
        reported=MediaKind.FILE,
        edited=Kind.DOCUMENT,
        sent=Kind.DOCUMENT,
    ),
}


@asynccontextmanager
async def hosted(files: Mapping[str, tuple[str, bytes]]) -> AsyncIterator[str]:
    """Serve files by name, as a provider does; yields the address before the names."""

    async def serve(request: web.Request) -> web.Response:
        mime, content = files[request.match_info["name"]]
        return web.Response(body=content, content_type=mime)

    app = web.Application()
    app.add_routes([web.get("/{name}", serve)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


def stands(deployment: Deployment, content: str | bytes) -> ShownMessage:
    """Return the one message the content stands in, and has ever stood in."""
    name = sha256(content).hexdigest() if isinstance(content, bytes) else content
    assert deployment.telegram.ever_shown_count(name) == 1
    ((_chat, message),) = deployment.telegram.shown(name)
    return message


async def deliver(deployment: Deployment, *media: ReportedMedia, **options: Any) -> JobView:
    """Show a finished result; a chat for each, unless it is said."""
    chat = {"chat_id": 10_000 + uuid4().int % 10**8, "user_id": 7, "key": str(uuid4())}
    return await deployment.sendonce.deliver(media=media, **{**chat, **options})


async def shown(deployment: Deployment, *jobs: JobView) -> list[JobView]:
    """Wait for their ends; everything of each must be shown."""
    done = await deployment.until_final(*jobs, within=60)
    parts = [(job.state, part.state) for job in done for part in job.parts]
    assert set(parts) == {(JobState.DELIVERED, PartState.SHOWN)}
    return done


@pytest.mark.parametrize("mode", ["edit", "send"])
async def test_every_file_stands_once_as_what_it_is(deployment: Deployment, mode: str):
    """With its caption, formatting, buttons and protection."""
    files = {f"{name}.{sort.suffix}": (sort.mime, sort.content) for name, sort in SORTS.items()}
    async with hosted(files) as address:
        jobs = [
            await deliver(
                deployment,
                ReportedMedia(kind=sort.reported, url=f"{address}/{name}.{sort.suffix}"),
                mode=mode,
                caption=CAPTION,
                caption_entities=BOLD,
                buttons=BUTTONS,
                protect=True,
            )
            for name, sort in SORTS.items()
        ]
        await shown(deployment, *jobs)

    for name, sort in SORTS.items():
        message = stands(deployment, sort.content)
        assert (name, message.kind) == (name, sort.edited if mode == "edit" else sort.sent)
        assert (message.text, message.markup, message.protected) == (CAPTION, KEYBOARD, True)
        assert [entity["type"] for entity in message.entities] == ["bold"]


async def test_words_stand_once_in_as_many_messages_as_they_need(deployment: Deployment):
    short, long = await shown(
        deployment,
        await deliver(
            deployment, ReportedMedia(kind=MediaKind.TEXT, text="A haiku"), buttons=BUTTONS
        ),
        await deliver(deployment, ReportedMedia(kind=MediaKind.TEXT, text=LONG)),
    )

    message = stands(deployment, "A haiku")
    assert (message.kind, message.text, message.markup) == (Kind.TEXT, "A haiku", KEYBOARD)
    assert len(short.parts) == 1
    pieces = [stands(deployment, part.text or "") for part in long.parts]
    assert len(pieces) == 2
    # Telegram strips what stands at the ends of a message, where a long text is parted.
    assert "\n\n".join(piece.text for piece in pieces).split() == LONG.split()


async def test_words_that_are_a_file_stand_in_one_document(deployment: Deployment):
    (job,) = await shown(
        deployment,
        await deliver(
            deployment,
            ReportedMedia(kind=MediaKind.FILE, text=LONG, name="poem.txt"),
            caption="A poem",
        ),
    )

    message = stands(deployment, LONG.encode())
    assert (message.kind, message.file_name, message.text) == (Kind.DOCUMENT, "poem.txt", "A poem")
    assert len(job.parts) == 1


def pictures(count: int) -> dict[str, tuple[str, bytes]]:
    names = {f"{number}.png": number for number in range(1, count + 1)}
    drawn = {name: render(task_id="several", number=no, suffix="png") for name, no in names.items()}
    return {name: (file.content_type, file.body) for name, file in drawn.items() if file}


async def show_several(deployment: Deployment, count: int, **options: Any) -> list[ShownMessage]:
    """Deliver so many pictures; return the message each stands in."""
    files = pictures(count)
    async with hosted(files) as address:
        media = [ReportedMedia(kind=MediaKind.IMAGE, url=f"{address}/{name}") for name in files]
        await shown(deployment, await deliver(deployment, *media, **options))
    return [stands(deployment, content) for _mime, content in files.values()]


async def test_several_pictures_are_edited_into_a_message_each(deployment: Deployment):
    messages = await show_several(deployment, 3, caption=CAPTION, buttons=BUTTONS)

    assert len({message.message_id for message in messages}) == 3
    assert [message.text for message in messages] == [CAPTION, "", ""]
    assert [message.markup for message in messages] == [KEYBOARD, None, None]


async def test_several_pictures_are_sent_as_one_album_with_its_buttons_below(
    deployment: Deployment,
):
    messages = await show_several(deployment, 3, mode="send", caption=CAPTION, buttons=BUTTONS)

    (album,) = {message.album for message in messages}
    assert album is not None
    assert [message.markup for message in messages] == [None, None, None]
    words = stands(deployment, CAPTION)
    assert (words.kind, words.markup) == (Kind.TEXT, KEYBOARD)
    assert words.message_id > max(message.message_id for message in messages)


async def test_a_rich_bot_shows_several_pictures_as_one_collage(deployment: Deployment):
    await deployment.ops("bots.add", slug="default", rich=True)

    messages = await show_several(deployment, 4, caption=CAPTION, buttons=BUTTONS, protect=True)

    assert len({message.message_id for message in messages}) == 1
    (collage, *_) = messages
    assert (collage.kind, len(collage.parts)) == (Kind.RICH, 4)
    assert (collage.text, collage.markup, collage.protected) == (CAPTION, KEYBOARD, True)


async def ask(deployment: Deployment, sample: str, *, parent: str = "") -> JobView:
    """Have KIE make what the sample asks for."""
    wanted = SAMPLES[sample]
    (job,) = await shown(
        deployment,
        await deployment.sendonce.create(
            key=f"{sample}-{parent}",
            chat_id=20_000 + len(sample),
            user_id=7,
            family=wanted.family,
            operation=wanted.operation,
            model=wanted.model,
            input=wanted.given(parent=parent),
        ),
    )
    return job


@pytest.mark.parametrize(
    "sample, kinds",
    [
        ("market", [Kind.PHOTO]),
        ("veo", [Kind.VIDEO]),
        ("suno_music", [Kind.AUDIO, Kind.AUDIO]),
        ("gpt4o_image", [Kind.PHOTO]),
    ],
)
async def test_what_kie_makes_stands_once(deployment: Deployment, sample: str, kinds: list[Kind]):
    job = await ask(deployment, sample)

    messages = [stands(deployment, part.url or "") for part in job.parts]
    assert [message.kind for message in messages] == kinds


async def test_lyrics_and_notes_of_kie_stand_once(deployment: Deployment):
    song, lyrics = await asyncio.gather(
        ask(deployment, "suno_music"), ask(deployment, "suno_lyrics")
    )
    notes = await ask(deployment, "suno_midi", parent=song.task_ids[0])

    words = stands(deployment, f"The lines of {lyrics.task_ids[0]}/1")
    assert (words.kind, words.mime) == (Kind.DOCUMENT, "text/plain")
    (message,) = [one for one in deployment.telegram.visible(notes.chat_id) if one.parts]
    assert (message.kind, message.mime) == (Kind.DOCUMENT, "audio/midi")
    assert message.digest is not None
    assert deployment.telegram.ever_shown_count(message.digest) == 1


async def test_a_failure_is_said_once_with_the_money_back(deployment: Deployment):
    await deployment.sendonce.topup(user_id=7, currency="RUB", amount=1_990, reference="r")
    job = await deployment.sendonce.create(
        key="failing",
        chat_id=7,
        user_id=7,
        model="nano-banana-2",
        input={"prompt": "plan:fail"},
        price=1_990,
    )
    (done,) = await deployment.until_final(job)
    await deployment.until_part(job, PartState.SHOWN)

    assert (done.state, done.money) == (JobState.FAILED, MoneyState.RELEASED)
    message = stands(deployment, f"Job {done.label}. Nothing was charged: 19.90 RUB is free")
    assert (message.kind, message.markup) == (Kind.TEXT, None)


async def test_the_status_line_says_how_far_it_is(deployment: Deployment):
    job = await deployment.sendonce.expect(key="slow", chat_id=8, user_id=7)
    task_id = uuid4().hex
    await deployment.sendonce.attach(job_id=job.id, task_id=task_id)

    async def posted() -> int | None:
        return (await deployment.sendonce.get(job_id=job.id)).status_message_id

    status = await deployment.eventually(posted)
    report = {"code": 200, "data": {"taskId": task_id, "state": "generating", "progress": 45}}
    async with httpx.AsyncClient() as http:
        answer = await http.post(job.callback_url or "", json=report)

    assert answer.status_code == 200
    line = f"Working on it · 45 % · job {job.label}"
    await deployment.telegram.until(lambda: bool(deployment.telegram.shown(line)))
    assert stands(deployment, line).message_id == status
