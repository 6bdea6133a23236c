"""Fetching results: from the public internet only, in bounds, once."""

import asyncio
import ipaddress
import socket

import pytest
from aiohttp.abc import ResolveResult

from contracts.values import MediaKind
from deliverer.domain.files import File
from deliverer.domain.sniff import Shape
from deliverer.domain.ways import MediaTrouble
from deliverer.media import download
from deliverer.media.addresses import CheckedResolver, ForbiddenAddress, is_public
from deliverer.media.download import Downloader, NoFile
from deliverer.media.shelf import Shelf
from deliverer.settings import Settings


@pytest.fixture
async def downloader(stack) -> Downloader:
    made = Downloader(allow_loopback=True)
    stack.push_async_callback(made.close)
    return made


@pytest.fixture
async def wary(stack) -> Downloader:
    """As in production: this machine is not the internet."""
    made = Downloader(allow_loopback=False)
    stack.push_async_callback(made.close)
    return made


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:21f:cb07::1", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_the_internet_is_public(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:7f00:1",
        "::7f00:1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::",
        "2001:0:53aa:64c::",
        "fec0::1",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "198.18.0.1",
        "192.88.99.1",
        "240.0.0.1",
    ],
)
def test_our_own_network_is_not(address):
    assert not is_public(ipaddress.ip_address(address))


async def test_a_file_is_what_its_bytes_are(downloader, media_host, make):
    url = media_host.put("/result", make.png, mime="application/octet-stream")

    assert await downloader.fetch(url, MediaKind.IMAGE) == File("result.png", make.png, Shape.PHOTO)


async def test_a_file_asked_for_as_file_stays_one(downloader, media_host, make):
    url = media_host.put("/result.png", make.png, mime="image/png")

    found = await downloader.fetch(url, MediaKind.FILE)

    assert isinstance(found, File)
    assert found.shape is Shape.DOCUMENT


async def test_the_cdn_meets_a_browser(downloader, media_host, make):
    media_host.only_for_browsers = True
    url = media_host.put("/a.png", make.png, mime="image/png")

    assert isinstance(await downloader.fetch(url, MediaKind.IMAGE), File)


@pytest.mark.parametrize(
    "status, body, said",
    [
        (400, b"<Code>ExpiredToken</Code>", "the link has expired"),
        (401, b"token expired", "the link has expired"),
        (403, b"<Message>Request has expired</Message>", "the link has expired"),
        (403, b"<Code>AccessDenied</Code>", "the link answers HTTP 403"),
    ],
)
async def test_fault_47_an_expired_link_is_said_to_be_expired(
    downloader, media_host, status, body, said
):
    url = media_host.put("/a.png", body, mime="application/xml", status=status)

    found = await downloader.fetch(url, MediaKind.IMAGE)

    assert isinstance(found, NoFile)
    assert found.trouble is MediaTrouble.GONE
    assert found.reason.startswith(said)


async def test_a_source_that_dawdles_is_left(downloader, media_host, monkeypatch):
    monkeypatch.setattr(download, "TOTAL", 0.2)
    media_host.released = asyncio.Event()
    url = media_host.put("/a.png", b"x", mime="image/png")

    found = await downloader.fetch(url, MediaKind.IMAGE)
    media_host.released.set()

    assert isinstance(found, NoFile)
    assert found.trouble is MediaTrouble.UNREACHED


async def test_fault_47_an_address_is_judged_when_it_is_connected_to(wary, monkeypatch):
    """A name that answers the public internet to one question and us to the next gains nothing."""
    answers = iter([["93.184.215.14", "10.0.0.1"], ["127.0.0.1"]])

    async def resolve(_self, host, port=0, family=socket.AF_INET):
        return [
            ResolveResult(hostname=host, host=one, port=port, family=family, proto=0, flags=0)
            for one in next(answers)
        ]

    monkeypatch.setattr("aiohttp.resolver.ThreadedResolver.resolve", resolve)
    resolver = CheckedResolver(allow_loopback=False)

    first = await resolver.resolve("rebinding.example")

    assert [one["host"] for one in first] == ["93.184.215.14"]
    with pytest.raises(ForbiddenAddress):
        await resolver.resolve("rebinding.example")


@pytest.fixture
def resolves(monkeypatch):
    """Have every name lead to these addresses."""

    def to(*addresses: str) -> None:
        async def resolve(_self, host, port=0, family=socket.AF_INET):
            return [
                ResolveResult(hostname=host, host=one, port=port, family=family, proto=0, flags=0)
                for one in addresses
            ]

        monkeypatch.setattr("aiohttp.resolver.ThreadedResolver.resolve", resolve)

    return to


async def test_a_host_of_our_own_is_asked_when_it_is_named_and_nobody_beside_it(resolves):
    resolves("172.18.0.5", "fd00::5")
    resolver = CheckedResolver(
        allow_loopback=False, own_hosts=Settings(media_hosts=" Store, ,kie").own_hosts
    )

    found = await resolver.resolve("store")

    assert [one["host"] for one in found] == ["172.18.0.5", "fd00::5"]
    assert not resolver.permits_host("172.18.0.5")
    with pytest.raises(ForbiddenAddress):
        await resolver.resolve("postgres")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::1",
        "0.0.0.0",
        "169.254.169.254",
        "fe80::1",
        "192.0.0.192",
        "100.100.100.200",
        "168.63.129.16",
        "::ffff:10.0.0.1",
        "224.0.0.1",
    ],
)
async def test_no_name_leads_to_a_machines_own_doors_or_its_clouds(resolves, address):
    resolves(address)
    resolver = CheckedResolver(allow_loopback=False, own_hosts=frozenset({"store"}))

    with pytest.raises(ForbiddenAddress):
        await resolver.resolve("store")


async def test_the_same_link_may_be_wanted_as_a_picture_and_as_a_file(downloader, media_host, make):
    shelf = Shelf(downloader)
    url = media_host.put("/a.png", make.png, mime="image/png")

    picture = await shelf.file(url, MediaKind.IMAGE, within=5)
    untouched = await shelf.file(url, MediaKind.FILE, within=5)

    assert isinstance(picture, File)
    assert isinstance(untouched, File)
    assert (picture.shape, untouched.shape) == (Shape.PHOTO, Shape.DOCUMENT)


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_a_dead_link_is_gone(downloader, media_host, status):
    url = media_host.put("/a.png", b"no", mime="text/plain", status=status)

    found = await downloader.fetch(url, MediaKind.IMAGE)

    assert isinstance(found, NoFile)
    assert found.trouble is MediaTrouble.GONE


@pytest.mark.parametrize(
    "content, mime, status, trouble",
    [
        (b"later", "text/plain", 503, MediaTrouble.UNREACHED),
        (b"", "image/png", 200, MediaTrouble.UNREACHED),
        (b"<!DOCTYPE html><p>expired", "image/png", 200, MediaTrouble.NOT_MEDIA),
        (b'{"code": 404}', "image/png", 200, MediaTrouble.NOT_MEDIA),
        (b"<?xml version='1.0'?><Error/>", "image/png", 200, MediaTrouble.NOT_MEDIA),
        (b"whatever", "application/json", 200, MediaTrouble.NOT_MEDIA),
    ],
)
async def test_what_is_no_file(downloader, media_host, content, mime, status, trouble):
    url = media_host.put("/a.png", content, mime=mime, status=status)

    found = await downloader.fetch(url, MediaKind.IMAGE)

    assert isinstance(found, NoFile)
    assert found.trouble is trouble


async def test_fault_47_a_file_too_big_is_not_read_to_its_end(downloader, media_host, monkeypatch):
    monkeypatch.setattr(download, "UPLOAD_BYTES", 10)
    url = media_host.put("/a.mp4", b"x" * 11, mime="video/mp4")

    found = await downloader.fetch(url, MediaKind.VIDEO)

    assert isinstance(found, NoFile)
    assert found.trouble is MediaTrouble.TOO_BIG


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1"])
async def test_fault_47_this_machine_is_never_asked(wary, host):
    found = await wary.fetch(f"http://{host}:1/a.png", MediaKind.IMAGE)

    assert isinstance(found, NoFile)
    assert found.trouble in (MediaTrouble.FORBIDDEN, MediaTrouble.UNREACHED)


async def test_a_forbidden_name_is_said_to_be_forbidden(wary):
    found = await wary.fetch("http://localhost:1/a.png", MediaKind.IMAGE)

    assert isinstance(found, NoFile)
    assert found.trouble is MediaTrouble.FORBIDDEN


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest", "file:///etc/passwd", "http://10.0.0.1/"]
)
async def test_fault_47_a_redirect_is_checked_like_the_first_link(downloader, media_host, target):
    media_host.moved["/a.png"] = target

    found = await downloader.fetch(f"{media_host.url}/a.png", MediaKind.IMAGE)

    assert isinstance(found, NoFile)
    assert found.trouble is MediaTrouble.FORBIDDEN


async def test_a_harmless_redirect_is_followed(downloader, media_host, make):
    media_host.put("/b.png", make.png, mime="image/png")
    media_host.moved["/a.png"] = "/b.png"

    assert isinstance(await downloader.fetch(f"{media_host.url}/a.png", MediaKind.IMAGE), File)


async def test_a_redirect_without_end_ends(downloader, media_host):
    media_host.moved["/a.png"] = "/a.png"

    found = await downloader.fetch(f"{media_host.url}/a.png", MediaKind.IMAGE)

    assert isinstance(found, NoFile)
    assert found.trouble is MediaTrouble.UNREACHED


async def test_a_file_is_fetched_once_for_many(downloader, media_host, make):
    shelf = Shelf(downloader)
    url = media_host.put("/a.png", make.png, mime="image/png")

    together = await asyncio.gather(*(shelf.file(url, MediaKind.IMAGE, within=5) for _ in range(5)))
    later = await shelf.file(url, MediaKind.IMAGE, within=0)

    assert {type(one) for one in (*together, later)} == {File}
    assert len(media_host.agents) == 1


async def test_a_slow_file_goes_on_coming_after_the_lease(downloader, media_host, make):
    media_host.released = asyncio.Event()
    url = media_host.put("/a.png", make.png, mime="image/png")
    shelf = Shelf(downloader)

    late = await shelf.file(url, MediaKind.IMAGE, within=0.05)
    media_host.released.set()
    found = await shelf.file(url, MediaKind.IMAGE, within=5)

    assert isinstance(late, NoFile)
    assert late.trouble is MediaTrouble.LATE
    assert isinstance(found, File)
    assert len(media_host.agents) == 1


async def test_refused_links_are_remembered_in_bounds(wary, monkeypatch):
    monkeypatch.setattr("deliverer.media.shelf.LINKS_REMEMBERED", 2)
    shelf = Shelf(wary)

    for name in "abc":
        shelf.link_refused(name)

    assert [shelf.is_link_refused(name) for name in "abc"] == [False, True, True]
