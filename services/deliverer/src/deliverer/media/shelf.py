"""Files on their way to a message: fetched once and kept for a while, for any later attempt."""

import asyncio
from collections import OrderedDict
from typing import Final

from contracts.values import MediaKind
from deliverer.domain.bodies import File
from deliverer.domain.edits import MediaTrouble
from deliverer.media.download import Downloader, NoFile

BYTES_KEPT: Final = 256 * 2**20
FETCHES_AT_ONCE: Final = 4  # each may hold 50 MB; memory is what bounds them
LINKS_REMEMBERED: Final = 5_000

_Fetch = asyncio.Task[File | NoFile]


class Shelf:
    """Downloads outlive the lease that began them: the next attempt finds the file here."""

    def __init__(self, downloader: Downloader) -> None:
        """Hold nothing yet."""
        self._downloader = downloader
        self._slots = asyncio.Semaphore(FETCHES_AT_ONCE)
        self._fetches: dict[str, _Fetch] = {}
        self._files: OrderedDict[str, File] = OrderedDict()
        self._held = 0
        self._refused_links: OrderedDict[str, None] = OrderedDict()

    async def file(self, url: str, kind: MediaKind, *, within: float) -> File | NoFile:
        """Return the file if it can be had within these seconds; else it goes on coming."""
        if (kept := self._files.get(url)) is not None:
            self._files.move_to_end(url)
            return kept
        fetch = self._fetches.get(url) or self._begin(url, kind)
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

    def _begin(self, url: str, kind: MediaKind) -> _Fetch:
        fetch = asyncio.create_task(self._fetch(url, kind), name="media-fetch")
        self._fetches[url] = fetch
        fetch.add_done_callback(lambda _: self._fetches.pop(url, None))
        return fetch

    async def _fetch(self, url: str, kind: MediaKind) -> File | NoFile:
        async with self._slots:
            found = await self._downloader.fetch(url, kind)
        if isinstance(found, File):
            self._keep(url, found)
        return found

    def _keep(self, url: str, file: File) -> None:
        self._files[url] = file
        self._held += len(file.content)
        while self._held > BYTES_KEPT and len(self._files) > 1:
            _, dropped = self._files.popitem(last=False)
            self._held -= len(dropped.content)
