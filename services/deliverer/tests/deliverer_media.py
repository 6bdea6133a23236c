"""Small true files of every kind, and a place that serves them."""

import asyncio
from dataclasses import dataclass, field

from aiohttp import web

# One white pixel, and the same with another comment: two different pictures.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c63f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
)
MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + b"\x00" * 64
JPEG = (
    bytes.fromhex("ffd8ffe000104a46494600010100000100010000")
    + bytes.fromhex("ffc0001108000200030301220002110103110100")
    + bytes.fromhex("ffd9")
)
GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00" + b"\x00" * 6 + b",\x00\x00\x00\x00\x01\x00\x01\x00;"
MP3 = b"ID3\x04\x00\x00\x00\x00\x00\x00" + b"\xff\xfb\x90\x00" + bytes(64)
OPUS = b"OggS\x00\x02" + bytes(20) + b"\x01\x13OpusHead\x01\x01" + bytes(40)
PDF = b"%PDF-1.7\n" + bytes(64)


def box(name: bytes, *inside: bytes) -> bytes:
    """An MP4 box."""
    content = b"".join(inside)
    return (8 + len(content)).to_bytes(4) + name + content


def film(*handlers: bytes) -> bytes:
    """An MP4 with one track of each handler: `vide`, `soun`."""
    tracks = (
        box(b"trak", box(b"mdia", box(b"hdlr", bytes(8), handler, bytes(12))))
        for handler in handlers
    )
    brand = box(b"ftyp", b"isom", bytes(4), b"isomiso2mp41")
    return brand + box(b"moov", *tracks) + box(b"mdat", bytes(64))


def picture(width: int, height: int) -> bytes:
    """A PNG as far as its header goes."""
    return PNG[:16] + width.to_bytes(4) + height.to_bytes(4) + PNG[24:]


@dataclass
class MediaHost:
    """Serves bytes by path, and remembers who asked."""

    url: str = ""
    files: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)
    agents: list[str] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    moved: dict[str, str] = field(default_factory=dict)
    encodings: dict[str, str] = field(default_factory=dict)
    only_for_browsers: bool = False
    released: asyncio.Event | None = None  # browsers are served only after this

    def put(self, path: str, content: bytes, *, mime: str, status: int = 200) -> str:
        self.files[path] = (status, mime, content)
        return f"{self.url}{path}"

    async def serve(self, request: web.Request) -> web.Response:
        agent = request.headers.get("User-Agent", "")
        self.agents.append(agent)
        self.asked.set()
        if self.released is not None and agent.startswith("Mozilla/5.0"):
            await self.released.wait()
        if request.path in self.moved:
            raise web.HTTPFound(self.moved[request.path])
        if self.only_for_browsers and not agent.startswith("Mozilla/5.0"):
            raise web.HTTPForbidden
        status, mime, content = self.files.get(request.path, (404, "text/plain", b"no"))
        headers = {"Content-Type": mime}
        if request.path in self.encodings:
            headers["Content-Encoding"] = self.encodings[request.path]
        return web.Response(status=status, body=content, headers=headers)
