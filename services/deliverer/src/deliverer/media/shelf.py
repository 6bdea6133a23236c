"""Files on their way to a message: fetched once and kept for a while, for any later attempt."""

import asyncio
from collections import OrderedDict
from typing import Final

from contracts.values import MediaKind
from deliverer.domain.files import File
from deliverer.domain.sniff import FILES
from deliverer.domain.ways import MediaTrouble
from deliverer.media.download import Downloader, NoFile

BYTES_KEPT: Final = 256 * 2**20
FETCHES_AT_ONCE: Final = 4  # each may hold 50 MB; memory is what bounds them
LINKS_REMEMBERED: Final = 5_000

_Fetch = asyncio.Task[File | NoFile]
_Key = tuple[str, MediaKind]  # the same bytes may be wanted as a picture and as a file


class Shelf:
    """Downloads outlive the lease that began them: the next attempt finds the file here."""

    def __init__(self, downloader: Downloader) -> None:
        """Hold nothing yet."""
        self._downloader = downloader
        self._slots = asyncio.Semaphore(FETCHES_AT_ONCE)
        self._fetches: dict[_Key, _Fetch] = {}
        self._files: OrderedDict[_Key, File] = OrderedDict()
        self._held = 0
        self._refused_links: OrderedDict[str, None] = OrderedDict()

    async def file(self, url: str, kind: MediaKind, *, within: float) -> File | NoFile:
        """Return the file if it can be had within these seconds; else it goes on coming."""
        key = (url, _wanted_as(kind))
        if (kept := self._files.get(key)) is not None:
            self._files.move_to_end(key)
            return kept
        fetch = self._fetches.get(key) or self._begin(key)
        await asyncio.wait({fetch}, timeout=within)
        if not fetch.done():
            return NoFile(MediaTrouble.LATE, "still being fetched when the lease ended")
        return fetch.result()

    def link_refused(self, url: str) -> None:
        """Remember that Telegram does not take this link; it remembers so for days itself."""
        self._refused_links[url] = None
        if len(self._refused_links) > LINKS_REMEMBERED:
            self._refused_links.popitem(last=False)

    def is_link_refused(self, url: str | None) -> bool:
        """Say whether Telegram turned this link down before."""
        return url in self._refused_links

    async def close(self) -> None:
        """Give up what is being fetched."""
        fetches = list(self._fetches.values())
        for fetch in fetches:
            fetch.cancel()
        await asyncio.gather(*fetches, return_exceptions=True)
        await self._downloader.close()

    def _begin(self, key: _Key) -> _Fetch:
        fetch = asyncio.create_task(self._fetch(key), name="media-fetch")
        self._fetches[key] = fetch
        fetch.add_done_callback(lambda _: self._fetches.pop(key, None))
        return fetch

    async def _fetch(self, key: _Key) -> File | NoFile:
        url, kind = key
        async with self._slots:
            found = await self._downloader.fetch(url, kind)
        if isinstance(found, File):
            self._keep(key, found)
        return found

    def _keep(self, key: _Key, file: File) -> None:
        self._files[key] = file
        self._held += len(file.content)
        while self._held > BYTES_KEPT and len(self._files) > 1:
            _, dropped = self._files.popitem(last=False)
            self._held -= len(dropped.content)


def _wanted_as(kind: MediaKind) -> MediaKind:
    if kind in FILES:
        return MediaKind.FILE
    # A voice note that is not taken as one is shown as audio, from the same bytes.
    return MediaKind.AUDIO if kind is MediaKind.VOICE else kind
