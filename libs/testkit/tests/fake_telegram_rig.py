"""What the fake Telegram's tests share: a real aiogram bot on it, a media host, small files."""

import asyncio
import struct
import time
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import (
    BufferedInputFile,
    InputMediaPhoto,
    InputMediaVideo,
    InputRichBlockCollage,
    InputRichBlockPhoto,
    InputRichBlockVideo,
    InputRichMessage,
    Message,
    RichBlockCaption,
)
from aiohttp import web

from testkit.telegram import FakeTelegram, Limits

TOKEN = "42:secret"
OTHER_TOKEN = "43:secret"
CHAT = 1000
GROUP = -500
FORUM = -1_001_000_000_001
MP4 = b"\0\0\0\x18ftypmp42" + b"\0" * 64
GIF = b"GIF89a" + struct.pack("<HH", 10, 10) + b"\0" * 40
MP3 = b"ID3" + b"\0" * 64
OGG = b"OggS" + b"\0" * 64
PDF = b"%PDF-1.7 " + b"\0" * 64


def png(*, width: int = 64, height: int = 48, shade: int = 0) -> bytes:
    """A real, decodable picture; another shade is another content."""
    rows = b"".join(b"\0" + bytes([shade, 90, 160]) * width for _ in range(height))

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def file(content: bytes, name: str = "file.bin") -> BufferedInputFile:
    return BufferedInputFile(content, name)


def file_id_of(message: Message) -> str:
    assert message.photo is not None
    return message.photo[-1].file_id


def collage(*media: InputMediaPhoto | InputMediaVideo, caption: str = "") -> InputRichMessage:
    """One rich message that holds them all."""
    blocks: list[InputRichBlockPhoto | InputRichBlockVideo] = [
        InputRichBlockPhoto(photo=one)
        if isinstance(one, InputMediaPhoto)
        else InputRichBlockVideo(video=one)
        for one in media
    ]
    words = RichBlockCaption(text=caption) if caption else None
    return InputRichMessage(blocks=[InputRichBlockCollage(blocks=[*blocks], caption=words)])


@asynccontextmanager
async def bot_on(tg: FakeTelegram, token: str = TOKEN) -> AsyncIterator[Bot]:
    session = AiohttpSession(api=TelegramAPIServer.from_base(tg.url))
    bot = Bot(token, session=session)
    try:
        yield bot
    finally:
        await session.close()


@asynccontextmanager
async def fake_telegram(
    *,
    limits: Limits | None = None,
    clock: Callable[[], float] = time.time,
    ids_after: int = 0,
) -> AsyncIterator[FakeTelegram]:
    pace = limits or Limits.off()
    async with FakeTelegram(limits=pace, clock=clock, ids_after=ids_after) as tg:
        yield tg


@dataclass
class MediaHost:
    """Serves what it is told to, and counts who asks."""

    url: str = ""
    files: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, name: str, content: bytes, content_type: str) -> str:
        self.files[name] = (content, content_type)
        return f"{self.url}/{name}"

    async def until_asked(self, name: str) -> None:
        async with asyncio.timeout(5):
            while name not in self.asked:
                self._news.clear()
                await self._news.wait()

    async def serve(self, request: web.Request) -> web.Response:
        name = request.path.removeprefix("/")
        self.asked.append(name)
        self._news.set()
        if name in self.gates:
            await self.gates[name].wait()
        if name not in self.files:
            raise web.HTTPNotFound
        content, content_type = self.files[name]
        return web.Response(body=content, content_type=content_type)


@asynccontextmanager
async def media_host() -> AsyncIterator[MediaHost]:
    host = MediaHost()
    app = web.Application()
    app.router.add_get("/{name}", host.serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield host
    finally:
        await runner.cleanup()
