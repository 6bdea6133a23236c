"""Fetching one result: bounded in size and time, only from addresses that were checked."""

from dataclasses import dataclass
from typing import Final

import aiohttp
from yarl import URL

from contracts.values import MediaKind
from deliverer.domain import sniff
from deliverer.domain.bodies import UPLOAD_BYTES
from deliverer.domain.files import RESULT_NAME, File
from deliverer.domain.ways import MediaTrouble
from deliverer.media.addresses import CheckedResolver, ForbiddenAddress
from deliverer.media.unpacking import TooBig, Unpacked, Unreadable

TOTAL: Final = 60.0  # seconds for one file
CONNECT: Final = 5.0
CHUNK: Final = 2**16
MOST_HOPS: Final = 4  # redirects that are followed, each checked like the first
CONNECTIONS: Final = 32

# The provider's CDN turns away clients that call themselves Python.
USER_AGENT: Final = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36"
)
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
GONE: Final = frozenset({403, 404, 410})
# Some stores say with these that a signed link is over, and only their words tell.
MAY_BE_EXPIRED: Final = frozenset({400, 401})
EXPIRED_WORD: Final = b"expired"
EXCERPT: Final = 4096  # bytes of a refusal that are read
OK: Final = 200


@dataclass(frozen=True, slots=True)
class NoFile:
    """There are no bytes, and this is why."""

    trouble: MediaTrouble
    reason: str


class Downloader:
    """One HTTP session without cookies or proxies."""

    def __init__(self, *, allow_loopback: bool, own_hosts: frozenset[str] = frozenset()) -> None:
        """Open nothing yet; see `CheckedResolver` for what is allowed."""
        self._resolver = CheckedResolver(allow_loopback=allow_loopback, own_hosts=own_hosts)
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, url: str, kind: MediaKind) -> File | NoFile:
        """Return the file, or why there is none; raises nothing."""
        try:
            return await self._follow(URL(url), kind)
        except TooBig:
            return NoFile(MediaTrouble.TOO_BIG, f"more than {UPLOAD_BYTES} bytes")
        except Unreadable as garbled:
            return NoFile(MediaTrouble.UNREACHED, str(garbled))
        except ForbiddenAddress as forbidden:
            return NoFile(MediaTrouble.FORBIDDEN, str(forbidden))
        except aiohttp.ClientConnectorError as unreached:
            return _unreached(unreached)
        except (aiohttp.ClientError, OSError, TimeoutError) as broken:
            return NoFile(MediaTrouble.UNREACHED, f"fetching it: {type(broken).__name__}")
        except ValueError:
            return NoFile(MediaTrouble.FORBIDDEN, "the link is not a readable URL")

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _follow(self, url: URL, kind: MediaKind) -> File | NoFile:
        for _ in range(MOST_HOPS):
            if url.scheme not in ("http", "https") or not url.host:
                return NoFile(MediaTrouble.FORBIDDEN, "the link is not http")
            # The resolver never sees a literal address.
            if not self._resolver.permits_host(url.host):
                return NoFile(MediaTrouble.FORBIDDEN, f"{url.host} is not on the public internet")
            async with self._opened().get(url, allow_redirects=False) as answer:
                if answer.status in REDIRECTS:
                    url = url.join(URL(answer.headers.get("Location", "")))
                    continue
                return await _file(answer, kind)
        return NoFile(MediaTrouble.UNREACHED, "the link redirects without end")

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=self._resolver, use_dns_cache=False, limit=CONNECTIONS
                ),
                timeout=aiohttp.ClientTimeout(total=TOTAL, sock_connect=CONNECT),
                # Media are packed already; who packs them again does it unasked.
                headers={
                    "User-Agent": USER_AGENT,
                    "Accept": "*/*",
                    "Accept-Encoding": "identity",
                },
                # Unpacking is ours to do, in bounds.
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


async def _file(answer: aiohttp.ClientResponse, kind: MediaKind) -> File | NoFile:
    if answer.status != OK:
        return await _refusal(answer)
    if (answer.content_length or 0) > UPLOAD_BYTES:
        return NoFile(MediaTrouble.TOO_BIG, f"{answer.content_length} bytes")
    unpacked = Unpacked(answer.headers.get("Content-Encoding", ""), most=UPLOAD_BYTES)
    content = bytearray()
    async for chunk in answer.content.iter_chunked(CHUNK):
        content += unpacked.take(chunk)
    unpacked.end()
    return _named(bytes(content), answer, kind)


async def _refusal(answer: aiohttp.ClientResponse) -> NoFile:
    said = f"the link answers HTTP {answer.status}"
    if answer.status not in GONE | MAY_BE_EXPIRED:
        return NoFile(MediaTrouble.UNREACHED, said)
    excerpt = await answer.content.read(EXCERPT)
    if EXPIRED_WORD in excerpt.lower():
        return NoFile(MediaTrouble.GONE, f"the link has expired: {said}")
    known = answer.status in GONE
    return NoFile(MediaTrouble.GONE if known else MediaTrouble.UNREACHED, said)


def _named(content: bytes, answer: aiohttp.ClientResponse, kind: MediaKind) -> File | NoFile:
    if not content:
        return NoFile(MediaTrouble.UNREACHED, "the link answers an empty file")
    head, mime = content[: sniff.HEAD], answer.headers.get("Content-Type", "")
    if kind not in sniff.FILES and sniff.is_page(head, content_type=mime):
        return NoFile(MediaTrouble.NOT_MEDIA, "the link answers a page")
    found = sniff.file_type(head, content_type=mime, url=str(answer.url))
    shape = sniff.shape_of(kind, found, content)
    return File(f"{RESULT_NAME}{found.suffix}", content, shape)


def _unreached(problem: aiohttp.ClientConnectorError) -> NoFile:
    if isinstance(problem.os_error, ForbiddenAddress):
        return NoFile(MediaTrouble.FORBIDDEN, str(problem.os_error))
    return NoFile(MediaTrouble.UNREACHED, f"fetching it: {type(problem).__name__}")
