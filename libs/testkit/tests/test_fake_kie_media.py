"""The files behind result URLs are real media, and no two are alike."""

import io
import wave
import zlib
from collections.abc import AsyncIterator, Iterator
from struct import unpack

import httpx
import pytest

from testkit.kie import FakeKie, Medium, Plan


@pytest.fixture
async def kie() -> AsyncIterator[FakeKie]:
    async with FakeKie(retry_delays=(), create_rate=None) as kie:
        yield kie


@pytest.fixture
async def http(kie: FakeKie) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {kie.api_key}"}
    async with httpx.AsyncClient(base_url=kie.url, headers=headers, timeout=10) as http:
        yield http


async def create(http: httpx.AsyncClient) -> None:
    body = {"model": "nano-banana-2", "input": {"prompt": "a cat"}}
    assert (await http.post("/api/v1/jobs/createTask", json=body)).json()["code"] == 200


def png_chunks(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    assert body[:8] == b"\x89PNG\r\n\x1a\n"
    at = 8
    while at < len(body):
        (size,) = unpack(">I", body[at : at + 4])
        kind, content = body[at + 4 : at + 8], body[at + 8 : at + 8 + size]
        (crc,) = unpack(">I", body[at + 8 + size : at + 12 + size])
        assert crc == zlib.crc32(kind + content)
        yield kind, content
        at += 12 + size


def check_png(body: bytes, label: bytes) -> None:
    chunks = dict(png_chunks(body))
    width, height = unpack(">II", chunks[b"IHDR"][:8])
    assert len(zlib.decompress(chunks[b"IDAT"])) == height * (1 + 3 * width)
    assert label in chunks[b"tEXt"]
    assert list(chunks)[-1] == b"IEND"


def check_jpeg(body: bytes, label: bytes) -> None:
    assert body.startswith(b"\xff\xd8\xff\xe0")
    assert body.endswith(b"\xff\xd9")
    assert label in body


def check_mp4(body: bytes, label: bytes) -> None:
    boxes, at = {}, 0
    while at < len(body):
        size, kind = unpack(">I4s", body[at : at + 8])
        boxes[kind] = body[at + 8 : at + size]
        at += size
    assert at == len(body)
    assert {b"ftyp", b"moov", b"mdat"} <= boxes.keys()
    assert boxes[b"free"].startswith(label)


def check_mp3(body: bytes, label: bytes) -> None:
    assert body[:3] == b"ID3"
    size = sum(byte << shift for byte, shift in zip(body[6:10], (21, 14, 7, 0), strict=True))
    assert label in body[10 : 10 + size]
    assert body[10 + size] == 0xFF
    assert body[11 + size] & 0xE0 == 0xE0


def check_wav(body: bytes, label: bytes) -> None:
    kind, size, form = unpack("<4sI4s", body[:12])
    assert (kind, size, form) == (b"RIFF", len(body) - 8, b"WAVE")
    with wave.open(io.BytesIO(body)) as sound:
        assert sound.getnframes() == sound.getframerate() == 8_000
    assert label in body


CHECKS = {
    Medium.PNG: (check_png, "image/png"),
    Medium.JPEG: (check_jpeg, "image/jpeg"),
    Medium.VIDEO: (check_mp4, "video/mp4"),
    Medium.AUDIO: (check_mp3, "audio/mpeg"),
    Medium.WAV: (check_wav, "audio/wav"),
}


@pytest.mark.parametrize("medium", CHECKS)
async def test_media_are_valid_and_no_two_alike(
    kie: FakeKie, http: httpx.AsyncClient, medium: Medium
) -> None:
    check, content_type = CHECKS[medium]
    kie.plan_next(Plan(seconds=0.0, medium=medium, outputs=2), count=2)

    for _ in range(2):
        await create(http)
    await kie.until_settled(tasks=2)

    bodies = set()
    for truth in kie.tasks():
        for url in truth.media_urls:
            answer = await http.get(url, params={"Signature": "abc"})
            assert answer.headers["content-type"] == content_type
            check(answer.content, truth.task_id.encode())
            bodies.add(answer.content)
    assert len(bodies) == 4


async def test_the_cdn_refuses_the_default_python_agent(
    kie: FakeKie, http: httpx.AsyncClient
) -> None:
    kie.plan_next(Plan(seconds=0.0))
    await create(http)
    await kie.until_settled(tasks=1)
    url = kie.tasks()[0].media_urls[0]

    answer = await http.get(url, headers={"User-Agent": "Python-urllib/3.11"})

    assert answer.status_code == 403


async def test_dead_links_answer_404(kie: FakeKie, http: httpx.AsyncClient) -> None:
    kie.plan_next(Plan(seconds=0.0, media_gone=True))

    await create(http)
    await kie.until_settled(tasks=1)

    assert (await http.get(kie.tasks()[0].media_urls[0])).status_code == 404


@pytest.mark.parametrize("name", ["3.png", "0.png", "1.exe"])
async def test_only_what_was_made_is_served(
    kie: FakeKie, http: httpx.AsyncClient, name: str
) -> None:
    kie.plan_next(Plan(seconds=0.0, outputs=2))
    await create(http)
    await kie.until_settled(tasks=1)

    assert (await http.get(f"/files/{kie.tasks()[0].task_id}/{name}")).status_code == 404
