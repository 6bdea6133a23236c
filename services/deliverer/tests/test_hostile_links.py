"""Links that somebody hostile made: nothing of ours is asked, and no body is taken without a bound.

Each test goes through the real fetcher and real sockets, on an internet where every address would answer with a file.
"""

import pytest
from pydantic import ValidationError

from contracts.deliveries import Content
from contracts.values import MediaKind
from deliverer.domain.files import File
from deliverer.domain.ways import MediaTrouble
from deliverer.media import download
from deliverer.media.download import Downloader, NoFile
from deliverer_media import PNG
from played_internet import PUBLIC, endless, file, moved, played

MIB = 2**20


@pytest.fixture
async def internet(monkeypatch):
    async with played(monkeypatch) as made:
        made.names["cdn.example"] = [(PUBLIC,)]
        made.answers["/a.png"] = file(PNG)
        yield made


@pytest.fixture
async def fetcher(stack, internet) -> Downloader:
    """As in production: this machine is not the internet."""
    made = Downloader(allow_loopback=False)
    stack.push_async_callback(made.close)
    return made


async def refused(fetcher: Downloader, url: str) -> MediaTrouble:
    found = await fetcher.fetch(url, MediaKind.FILE)
    assert isinstance(found, NoFile), found
    return found.trouble


OURS = {
    "private": ("10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.1.1", "100.64.0.1"),
    "loopback": ("127.0.0.1", "127.255.255.254", "[::1]", "localhost", "LOCALHOST"),
    "link-local": ("169.254.169.254", "169.254.0.1", "[fe80::1]", "[fe80::1%25lo]"),
    "unique local": ("[fd00::1]", "[fc00::1]", "[fd00:ec2::254]", "[fec0::1]"),
    "nowhere": ("0.0.0.0", "0.1.2.3", "[::]", "255.255.255.255", "224.0.0.1", "[ff02::1]"),
    "mapped": (
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:169.254.169.254]",
        "[::127.0.0.1]",
    ),
    "6to4": ("[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[2002:a00:1::]"),
    "NAT64": ("[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::a00:1]"),
    "Teredo": ("[2001:0:53aa:64c::]", "[2001::1]"),
    "a cloud's own": ("168.63.129.16", "100.100.100.200", "192.0.0.192"),
    "decimal": ("2130706433", "2852039166", "0", "1"),
    "octal": ("0177.0.0.1", "0251.0376.0251.0376", "017700000001", "012.0.0.1"),
    "hexadecimal": ("0x7f000001", "0x7f.0x0.0x0.0x1", "0xa9fea9fe", "0X7F.1"),
    "short": ("127.1", "127.0.1", "10.1", "127.0.0.1."),
    "other scripts": ("127。0。0。1", "①②⑦.0.0.1", "１２７.0.0.1"),
    "userinfo": ("cdn.example@127.0.0.1", "cdn.example:80@10.0.0.1", "93.184.215.14%40@[::1]"),
    "fragment": ("127.0.0.1#@cdn.example", "10.0.0.1?@cdn.example"),
}


@pytest.mark.parametrize(
    "host", [pytest.param(one, id=f"{kind} {one}") for kind in OURS for one in OURS[kind]]
)
async def test_nothing_of_ours_is_asked(fetcher, internet, host: str):
    assert await refused(fetcher, f"http://{host}/a.png") is MediaTrouble.FORBIDDEN
    assert internet.dialled == []


@pytest.mark.parametrize("host", [pytest.param(hosts[0], id=kind) for kind, hosts in OURS.items()])
async def test_no_redirect_leads_to_anything_of_ours(fetcher, internet, host: str):
    internet.answers["/moved"] = moved(f"http://{host}/a.png")

    assert await refused(fetcher, "http://cdn.example/moved") is MediaTrouble.FORBIDDEN
    assert internet.dialled == [PUBLIC]


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://cdn.example/a.png",
        "gopher://cdn.example/a.png",
        "data:image/png;base64,iVBORw0KGgo=",
        "unix:///var/run/docker.sock",
        "ws://cdn.example/a.png",
        "//cdn.example/a.png",
        "http:///a.png",
        "http:a.png",
        "http://cdn.example\\@10.0.0.1/a.png",
        "http://cdn.example:port/a.png",
        "http://[::1/a.png",
        "",
    ],
)
async def test_what_is_no_http_link_is_not_followed(fetcher, internet, url: str):
    assert await refused(fetcher, url) is MediaTrouble.FORBIDDEN
    assert internet.dialled == []


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://cdn.example/a.png", "data:,x"])
async def test_a_redirect_does_not_leave_http(fetcher, internet, target: str):
    internet.answers["/moved"] = moved(target)

    assert await refused(fetcher, "http://cdn.example/moved") is MediaTrouble.FORBIDDEN


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://cdn.example/a.png", "data:image/png,x"]
)
def test_no_other_scheme_reaches_telegram(url: str):
    """A local Bot API server takes `file:` for a file of its own disk."""
    with pytest.raises(ValidationError):
        Content(kind=MediaKind.IMAGE, url=url)


async def test_a_public_name_is_fetched(fetcher, internet):
    found = await fetcher.fetch("http://user:word@cdn.example:8080/a.png#at", MediaKind.IMAGE)

    assert isinstance(found, File)
    assert (internet.asked, internet.dialled) == (["cdn.example"], [PUBLIC])


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:7f00:1", "fd00::1"]
)
async def test_a_name_that_leads_to_us_is_not_followed(fetcher, internet, address: str):
    internet.names["ours.example"] = [(address,)]

    assert await refused(fetcher, "http://ours.example/a.png") is MediaTrouble.FORBIDDEN
    assert internet.dialled == []


async def test_a_name_is_connected_to_at_the_address_that_was_judged(fetcher, internet):
    """DNS rebinding: asked twice, the name would lead to us the second time."""
    internet.names["rebinding.example"] = [(PUBLIC,), ("127.0.0.1",)]

    first = await fetcher.fetch("http://rebinding.example/a.png", MediaKind.IMAGE)

    assert isinstance(first, File)
    assert internet.asked == ["rebinding.example"]
    assert await refused(fetcher, "http://rebinding.example/a.png") is MediaTrouble.FORBIDDEN
    assert internet.dialled == [PUBLIC]


async def test_a_redirect_to_the_same_name_is_judged_again(fetcher, internet):
    internet.names["rebinding.example"] = [(PUBLIC,), ("127.0.0.1",)]
    internet.answers["/moved"] = moved("http://rebinding.example/a.png")

    assert await refused(fetcher, "http://rebinding.example/moved") is MediaTrouble.FORBIDDEN
    assert internet.dialled == [PUBLIC]


async def test_the_second_address_of_a_name_is_judged_like_the_first(fetcher, internet):
    internet.names["both.example"] = [(PUBLIC, "10.0.0.1", "127.0.0.1")]
    internet.down = {PUBLIC}

    assert await refused(fetcher, "http://both.example/a.png") is MediaTrouble.UNREACHED
    assert internet.dialled == [PUBLIC]


@pytest.mark.parametrize("declared", [None, 10**12])
async def test_a_body_without_end_is_cut_short(
    fetcher, internet, monkeypatch, declared: int | None
):
    monkeypatch.setattr(download, "UPLOAD_BYTES", MIB)
    internet.answers["/long"] = endless(bytes(2**16), declared=declared)

    assert await refused(fetcher, "http://cdn.example/long") is MediaTrouble.TOO_BIG


async def test_a_body_that_drips_is_left(fetcher, internet, monkeypatch):
    monkeypatch.setattr(download, "TOTAL", 0.3)
    internet.answers["/slow"] = endless(b"x", every=0.01)

    assert await refused(fetcher, "http://cdn.example/slow") is MediaTrouble.UNREACHED


async def test_a_head_without_end_is_left(fetcher, internet):
    async def answer(writer):
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-More: more\r\n" * 1000)
            await writer.drain()

    internet.answers["/head"] = answer

    assert await refused(fetcher, "http://cdn.example/head") is MediaTrouble.UNREACHED


@pytest.mark.parametrize("mime", ["text/html", "application/json", "application/xml", "image/png"])
async def test_a_page_is_no_picture_whatever_it_says_it_is(fetcher, internet, mime: str):
    internet.answers["/page"] = file(b"<html><script>alert(1)</script>", mime)

    found = await fetcher.fetch("http://cdn.example/page", MediaKind.IMAGE)

    assert isinstance(found, NoFile)
    assert found.trouble is MediaTrouble.NOT_MEDIA
