"""Media by URL: the server fetches, judges and remembers, failures included."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import aiohttp
from yarl import URL

from testkit.telegram.media import Kind
from testkit.telegram.sniff import mime_of

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
PHOTO_BYTES_BY_URL = 5 << 20
OTHER_BYTES_BY_URL = 20 << 20
VOICE_BYTES_BY_URL = 1 << 20
URLS_REMEMBERED = 20_000
MAX_REDIRECTS = 5
PARALLEL_FETCHES = 32

_ACCEPTED: dict[Kind, frozenset[str]] = {
    Kind.PHOTO: frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"}),
    Kind.VIDEO: frozenset({"video/mp4"}),
    Kind.ANIMATION: frozenset({"image/gif", "video/mp4"}),
    Kind.AUDIO: frozenset(
        {"audio/mpeg", "audio/mp3", "audio/mp4", "audio/m4a", "audio/x-m4a", "audio/aac"}
    ),
    Kind.DOCUMENT: frozenset({"application/pdf", "application/zip", "image/gif"}),
    Kind.VOICE: frozenset({"audio/ogg"}),
}
_PICTURES = _ACCEPTED[Kind.PHOTO]


class UrlRefused(Exception):
    """A URL the server would not take: in words, and raw as an album's error quotes it."""

    def __init__(self, words: str, raw: str) -> None:
        super().__init__(words)
        self.words = words
        self.raw = raw


def _unreachable() -> UrlRefused:
    return UrlRefused("failed to get HTTP URL content", "WEBPAGE_CURL_FAILED")


def _wrong_type() -> UrlRefused:
    return UrlRefused("wrong type of the web page content", "WEBPAGE_MEDIA_EMPTY")


def _too_big() -> UrlRefused:
    return UrlRefused("wrong file identifier/HTTP URL specified", "MEDIA_EMPTY")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file as its URL gave it."""

    content: bytes
    name: str


class UrlFetcher:
    """Fetches http URLs of allowed hosts, once per URL and kind."""

    def __init__(self, *, hosts: frozenset[str] = frozenset(), seconds: float = 20.0) -> None:
        self._hosts = LOOPBACK | hosts
        self._timeout = aiohttp.ClientTimeout(total=seconds)
        self._session: aiohttp.ClientSession | None = None
        self._slots = asyncio.Semaphore(PARALLEL_FETCHES)
        self._refusals: OrderedDict[tuple[str, Kind], UrlRefused] = OrderedDict()

    async def close(self) -> None:
        """Close the connections to media hosts."""
        if self._session is not None:
            await self._session.close()

    async def fetch(self, url: str, kind: Kind) -> Fetched:
        """Get the bytes, or raise what the server says; a failure stays one for good."""
        remembered = self._refusals.get((url, kind))
        if remembered is not None:
            raise UrlRefused(remembered.words, remembered.raw)
        try:
            async with self._slots:
                return await self._get(url, kind)
        except UrlRefused as refused:
            self._refusals[url, kind] = refused
            if len(self._refusals) > URLS_REMEMBERED:
                self._refusals.popitem(last=False)
            raise

    async def _get(self, url: str, kind: Kind) -> Fetched:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        try:
            return await self._follow(self._session, URL(url), kind)
        except (aiohttp.ClientError, TimeoutError, OSError) as broken:
            raise _unreachable() from broken
        except ValueError as malformed:
            words = "wrong HTTP URL specified"
            raise UrlRefused(words, "EXTERNAL_URL_INVALID") from malformed

    async def _follow(self, session: aiohttp.ClientSession, url: URL, kind: Kind) -> Fetched:
        for _ in range(MAX_REDIRECTS):
            if not url.host:
                raise UrlRefused("wrong HTTP URL specified", "EXTERNAL_URL_INVALID")
            # Each hop is checked: a redirect must not lead the fake off this machine.
            if url.host not in self._hosts:
                raise _unreachable()
            async with session.get(url, allow_redirects=False) as answer:
                if answer.status in {301, 302, 303, 307, 308}:
                    url = url.join(URL(answer.headers.get("Location", "")))
                    continue
                content = await _judged_body(answer, kind)
                return Fetched(content, _name(url))
        raise _unreachable()


async def _judged_body(answer: aiohttp.ClientResponse, kind: Kind) -> bytes:
    if answer.status != 200:  # noqa: PLR2004  # the one status that carries a file
        raise _unreachable()
    if answer.content_type.lower() not in _ACCEPTED[kind]:
        raise _wrong_type()
    limit = PHOTO_BYTES_BY_URL if kind is Kind.PHOTO else OTHER_BYTES_BY_URL
    if (answer.content_length or 0) > limit:
        raise _too_big()
    content = bytearray()
    async for chunk in answer.content.iter_chunked(1 << 16):
        content += chunk
        if len(content) > limit:
            raise _too_big()
    if not content:
        raise _too_big()
    if kind is Kind.PHOTO and mime_of(bytes(content[:16])) not in _PICTURES:
        raise _wrong_type()
    return bytes(content)


def _name(url: URL) -> str:
    return unquote(urlsplit(str(url)).path.rsplit("/", 1)[-1]) or "file"
