"""The bytes a way needs, all of them or the first reason why not."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from chassis import tracing
from contracts.deliveries import Item
from contracts.values import MediaKind
from deliverer.domain.files import File, Files
from deliverer.domain.ways import MediaTrouble
from deliverer.media.download import NoFile
from deliverer.media.shelf import Shelf


async def fetched(
    shelf: Shelf, items: Sequence[Item], *, within: float, stopping: asyncio.Event
) -> Files | NoFile:
    """Return every file by its link if all can be had within these seconds, and before we stop."""
    wanted = {item.url: item.kind for item in items if item.url is not None}
    if not wanted:
        return {}
    with tracing.span("fetch media", tracing.Kind.CLIENT):
        return await _fetched(shelf, wanted, within=within, stopping=stopping)


async def _fetched(
    shelf: Shelf, wanted: Mapping[str, MediaKind], *, within: float, stopping: asyncio.Event
) -> Files | NoFile:
    waits = (shelf.file(url, kind, within=max(0.0, within)) for url, kind in wanted.items())
    waiting = asyncio.ensure_future(asyncio.gather(*waits))
    stopped = asyncio.ensure_future(stopping.wait())
    try:
        first: set[asyncio.Future[Any]] = {waiting, stopped}
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            return NoFile(MediaTrouble.LATE, "the service stops")
        found = waiting.result()
    finally:
        # The fetches themselves go on: another attempt may want what they bring.
        waiting.cancel()
        stopped.cancel()
    missing = next((one for one in found if isinstance(one, NoFile)), None)
    if missing is not None:
        return missing
    return {url: one for url, one in zip(wanted, found, strict=True) if isinstance(one, File)}
