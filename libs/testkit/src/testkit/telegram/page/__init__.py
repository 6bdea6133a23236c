"""The live page: every chat as its person sees it, and the media in it."""

import asyncio
import contextlib
import json
import re
from pathlib import Path

from aiohttp import web

from testkit.telegram.page.feed import entry_json
from testkit.telegram.sandbox import Sandbox

BATCH_SECONDS = 0.2  # a burst of commits becomes one event
KEEP_ALIVE_SECONDS = 15.0
BATCH_ENTRIES = 500

_HERE = Path(__file__).parent
_SCRIPTS = ("bubble", "list", "marks", "media", "page", "talk", "words")
_ASSETS = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    **{f"/{name}.js": (f"{name}.js", "text/javascript") for name in _SCRIPTS},
}
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'"
)
# Only these are shown in place; anything else a stranger uploaded is offered as a download.
_INLINE = frozenset(
    {
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "video/mp4",
        "video/webm",
        "audio/mpeg",
        "audio/mp4",
        "audio/ogg",
        "audio/wav",
        "audio/flac",
    }
)
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class Page:
    """Serves the page, its live feed and the media."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._assets = {
            path: ((_HERE / name).read_bytes(), mime) for path, (name, mime) in _ASSETS.items()
        }

    def routes(self) -> list[web.RouteDef]:
        """The page, its feed and the media."""
        return [
            *(web.get(path, self.asset) for path in self._assets),
            web.get("/media/{digest:[0-9a-f]{64}}", self.media),
            web.get("/sim/events", self.events),
            web.get("/sim/answers/{query:\\d+}", self.answer),
        ]

    async def asset(self, request: web.Request) -> web.Response:
        """One of the page's own files."""
        content, mime = self._assets[request.path]
        headers = {
            "Content-Security-Policy": _PAGE_POLICY,
            "Cache-Control": "no-cache",
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(body=content, content_type=mime, charset="utf-8", headers=headers)

    async def media(self, request: web.Request) -> web.Response:
        """A file by its digest; strangers' types are never shown in place."""
        digest = request.match_info["digest"]
        content = self._sandbox.world.blobs.content(digest)
        blob = self._sandbox.world.blobs.blob(digest)
        if content is None or blob is None:
            raise web.HTTPNotFound
        headers = {
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "max-age=3600, immutable",
            "Accept-Ranges": "bytes",
        }
        mime = blob.mime
        if mime not in _INLINE:
            mime = "application/octet-stream"
            headers["Content-Disposition"] = "attachment"
        return _ranged(request, content, mime=mime, headers=headers)

    async def answer(self, request: web.Request) -> web.Response:
        """What the bot answered to a pressed button; null while it has not."""
        answers = self._sandbox.updates.answers
        return web.json_response({"text": answers.get(request.match_info["query"])})

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Stream log entries as Server-Sent Events, in batches."""
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        # A page that has gone away ends its stream; there is nobody left to tell.
        with contextlib.suppress(ConnectionError):
            await self._stream(response, after=_resume_point(request))
        return response

    async def _stream(self, response: web.StreamResponse, *, after: int) -> None:
        oracle = self._sandbox.oracle
        await response.write(b"retry: 1000\n\n")
        while True:
            entries = oracle.log(after=after, limit=BATCH_ENTRIES)
            if entries:
                after = entries[-1].seq
                body = json.dumps([entry_json(one) for one in entries], separators=(",", ":"))
                await response.write(f"id: {after}\ndata: {body}\n\n".encode())
                await asyncio.sleep(BATCH_SECONDS)
                continue
            try:
                async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                    await oracle.news()
            except TimeoutError:
                await response.write(b": still here\n\n")


def _resume_point(request: web.Request) -> int:
    raw = request.headers.get("Last-Event-ID") or request.query.get("after", "0")
    return int(raw) if raw.isdigit() else 0


def _ranged(
    request: web.Request, content: bytes, *, mime: str, headers: dict[str, str]
) -> web.Response:
    # Browsers ask for ranges to seek in videos.
    wanted = _RANGE.fullmatch(request.headers.get("Range", ""))
    if wanted is None or int(wanted.group(1)) >= len(content):
        return web.Response(body=content, content_type=mime, headers=headers)
    first = int(wanted.group(1))
    last = min(int(wanted.group(2) or len(content) - 1), len(content) - 1)
    headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
    return web.Response(
        status=206, body=content[first : last + 1], content_type=mime, headers=headers
    )
