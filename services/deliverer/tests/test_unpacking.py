"""Bodies packed for the way: unpacked as far as we may hold them, and no further."""

import gzip
import tracemalloc
import zlib

import pytest

from contracts.values import MediaKind
from deliverer.domain.bodies import UPLOAD_BYTES
from deliverer.domain.files import File
from deliverer.domain.ways import MediaTrouble
from deliverer.media.download import Downloader, NoFile


@pytest.fixture
async def downloader(stack) -> Downloader:
    made = Downloader(allow_loopback=True)
    stack.push_async_callback(made.close)
    return made


@pytest.mark.parametrize("packing", ["gzip", "deflate"])
async def test_what_was_packed_unasked_is_unpacked(downloader, media_host, make, packing):
    packed = {"gzip": gzip.compress, "deflate": zlib.compress}[packing](make.png)
    url = media_host.put("/a.png", packed, mime="image/png")
    media_host.encodings["/a.png"] = packing

    found = await downloader.fetch(url, MediaKind.IMAGE)

    assert isinstance(found, File)
    assert found.content == make.png


async def test_a_small_body_that_unpacks_without_end_is_cut_short(downloader, media_host):
    bomb = gzip.compress(bytes(200 * 2**20))
    url = media_host.put("/a.png", bomb, mime="image/png")
    media_host.encodings["/a.png"] = "gzip"
    tracemalloc.start()

    found = await downloader.fetch(url, MediaKind.IMAGE)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert isinstance(found, NoFile)
    assert found.trouble is MediaTrouble.TOO_BIG
    assert most < 3 * UPLOAD_BYTES


@pytest.mark.parametrize(
    "content, encoding",
    [(b"not packed", "gzip"), (gzip.compress(b"x", mtime=0)[:-9], "gzip"), (b"x", "br")],
)
async def test_what_does_not_unpack_is_no_file(downloader, media_host, content, encoding):
    url = media_host.put("/a.png", content, mime="image/png")
    media_host.encodings["/a.png"] = encoding

    found = await downloader.fetch(url, MediaKind.IMAGE)

    assert isinstance(found, NoFile)
    assert found.trouble is MediaTrouble.UNREACHED
