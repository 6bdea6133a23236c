"""What a call proves, against a KIE that answers, refuses, hangs and breaks off."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from kie.api import (
    USER_AGENT,
    Ambiguous,
    Created,
    Creation,
    Credits,
    DownloadUrl,
    KieApi,
    NotCreated,
    Unavailable,
    Unfit,
    http_client,
)
from kie.reading import State

API_KEY = "sk-very-secret"
BREAK_OFF = b""
HANG = None


@dataclass
class Kie:
    """One scripted answer, and the requests that came for it."""

    reply: bytes | None = BREAK_OFF
    requests: list[bytes] = field(default_factory=list)
    port: int = 0
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            self.requests.append(head + await reader.readexactly(int(length or 0)))
            if self.reply is HANG:
                await self.closing.wait()
            else:
                writer.write(self.reply or b"")
                await writer.drain()
        finally:
            writer.close()

    @property
    def last_body(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.requests[-1].partition(b"\r\n\r\n")[2])
        return parsed


def http(body: object, status: int = 200, headers: str = "") -> bytes:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(raw)}\r\n{headers}\r\n"
    return head.encode() + raw


@asynccontextmanager
async def api_on(port: int, call_timeout: float = 5.0) -> AsyncIterator[KieApi]:
    async with http_client() as client:
        url = f"http://127.0.0.1:{port}/"
        yield KieApi(client, base_url=url, api_key=API_KEY, call_timeout=call_timeout)


@pytest.fixture
async def kie() -> AsyncIterator[Kie]:
    double = Kie()
    server = await asyncio.start_server(double.serve, "127.0.0.1", 0)
    async with server:
        double.port = server.sockets[0].getsockname()[1]
        yield double
        double.closing.set()


async def create(port: int, family: str = "market", call_timeout: float = 5.0) -> Creation:
    async with api_on(port, call_timeout) as api:
        return await api.create_task(
            family=family,
            model="m/1",
            input={"prompt": "cat"},
            callback_url="https://gw.example/callbacks/kie/x",
        )


async def test_a_market_creation(kie: Kie) -> None:
    kie.reply = http({"code": 200, "msg": "success", "data": {"taskId": "t1", "recordId": "t1"}})

    assert await create(kie.port) == Created("t1")

    head = kie.requests[0].decode()
    assert head.startswith("POST /api/v1/jobs/createTask HTTP/1.1\r\n")
    assert f"Authorization: Bearer {API_KEY}\r\n" in head
    assert f"User-Agent: {USER_AGENT}\r\n" in head
    assert kie.last_body == {
        "model": "m/1",
        "input": {"prompt": "cat"},
        "callBackUrl": "https://gw.example/callbacks/kie/x",
    }


@pytest.mark.parametrize(
    "family, path, callback_key",
    [
        ("veo", "/api/v1/veo/generate", "callBackUrl"),
        ("suno_music", "/api/v1/generate", "callBackUrl"),
        ("suno_voice_regenerate", "/api/v1/voice/regenerate", "calBackUrl"),
    ],
)
async def test_a_dedicated_creation_is_flat(
    kie: Kie, family: str, path: str, callback_key: str
) -> None:
    kie.reply = http({"code": 200, "data": {"taskId": "t1"}})

    assert await create(kie.port, family) == Created("t1")

    assert kie.requests[0].startswith(f"POST {path} HTTP/1.1\r\n".encode())
    assert kie.last_body["prompt"] == "cat"
    assert kie.last_body[callback_key] == "https://gw.example/callbacks/kie/x"
    assert "input" not in kie.last_body


@pytest.mark.parametrize(
    "code, message, kind",
    [
        (400, "bad request", "refused"),
        (404, "no such model", "refused"),
        (409, "record exists", "refused"),
        (422, "Please enter callBackUrl.", "refused"),
        (451, "cannot fetch", "refused"),
        (505, "disabled", "refused"),
        (500, "This field is required", "refused"),
        (429, "Too many", "later"),
        (455, "maintenance", "later"),
        (400, "Reached the limit for concurrent generations", "later"),
        (401, "no access", "owner_account"),
        (402, "insufficient", "owner_account"),
        (433, "cap", "owner_account"),
    ],
)
@pytest.mark.parametrize("by_http_too", [False, True])
async def test_refusals_stand_in_the_envelope(
    kie: Kie, code: int, message: str, kind: str, by_http_too: object
) -> None:
    status = code if by_http_too and code < 500 else 200
    kie.reply = http({"code": code, "msg": message, "data": None}, status)

    outcome = await create(kie.port)

    assert isinstance(outcome, NotCreated)
    assert (outcome.kind, outcome.code, outcome.message) == (kind, str(code), message)


@pytest.mark.parametrize(
    "reply",
    [
        http({"code": 500, "msg": "Server Error"}),
        http({"code": 408, "msg": "timeout"}),
        http({"code": 501, "msg": "failed"}),
        http({"code": 777, "msg": "new"}),
        http({"code": 200, "data": None}),
        http({"code": 200, "data": {"taskId": ""}}),
        http({"code": 200, "taskId": "a", "data": {"taskId": "b"}}),
        http({"data": {}}),
        http(b"<html>"),
        http(b""),
        http([1]),
        http({"code": 429}, 500),
        http(b"<html>", 502),
        http(b"", 408),
        http(b"", 302, "Location: http://127.0.0.1:1/\r\n"),
        http({"code": 200, "data": {"taskId": "t"}})[:-3],
        b"HTTP/1.1 200 X\r\nContent-Le",
        b"nonsense\r\n\r\n",
        BREAK_OFF,
    ],
    ids=lambda reply: reply[-40:].decode().strip() or "nothing",
)
async def test_everything_else_is_ambiguous(kie: Kie, reply: bytes) -> None:
    kie.reply = reply

    assert isinstance(await create(kie.port), Ambiguous)
    assert len(kie.requests) == 1


async def test_a_task_id_under_an_error_is_kept_as_evidence(kie: Kie) -> None:
    kie.reply = http({"code": 500, "data": {"taskId": "t1"}})

    outcome = await create(kie.port)

    assert isinstance(outcome, Ambiguous)
    assert outcome.task_id == "t1"


async def test_silence_after_the_request_is_ambiguous(kie: Kie) -> None:
    kie.reply = HANG

    assert isinstance(await create(kie.port, call_timeout=0.2), Ambiguous)


async def test_a_refused_connection_created_nothing() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, never listening

        outcome = await create(taken.getsockname()[1])

    assert isinstance(outcome, NotCreated)
    assert (outcome.kind, outcome.message) == ("later", "ConnectError")


async def test_an_http_refusal_without_an_envelope(kie: Kie) -> None:
    kie.reply = http(b"slow down", 429, "Retry-After: 7\r\n")

    assert await create(kie.port) == NotCreated("later", "429", None, 7.0)


async def test_the_key_never_returns(kie: Kie) -> None:
    told = f"key {API_KEY} is bad"

    for code in (401, 500):
        kie.reply = http({"code": code, "msg": told})
        assert API_KEY not in repr(await create(kie.port))
    async with api_on(kie.port) as api:
        assert API_KEY not in repr(await api.poll(family="market", task_id="t"))
        assert API_KEY not in repr(api)


async def test_a_poll_asks_the_endpoint_of_its_family(kie: Kie) -> None:
    kie.reply = http({"code": 200, "data": {"taskId": "t/1", "successFlag": 0}})

    async with api_on(kie.port) as api:
        reading = await api.poll(family="veo", task_id="t/1")

    assert (reading.state, reading.task_id, reading.family) == (State.PROGRESS, "t/1", "veo")
    assert kie.requests[0].startswith(b"GET /api/v1/veo/record-info?taskId=t%2F1 HTTP/1.1")


async def test_an_answer_about_another_task_is_held(kie: Kie) -> None:
    data = {"taskId": "t2", "state": "success", "resultJson": ["https://file.example/a.png"]}
    kie.reply = http({"code": 200, "data": data})

    async with api_on(kie.port) as api:
        reading = await api.poll(family="market", task_id="t1")

    assert (reading.task_id, reading.state, reading.media) == ("t1", State.UNKNOWN, ())
    assert "task_id_mismatch" in reading.anomalies


@pytest.mark.parametrize("reply", [BREAK_OFF, http(b"", 503), http({"code": 429})])
async def test_trouble_on_the_way_is_transient(kie: Kie, reply: bytes) -> None:
    kie.reply = reply

    async with api_on(kie.port) as api:
        reading = await api.poll(family="market", task_id="t")

    assert reading.state is State.TRANSIENT_ERROR


async def test_a_silent_poll_is_transient(kie: Kie) -> None:
    kie.reply = HANG

    async with api_on(kie.port, call_timeout=0.2) as api:
        reading = await api.poll(family="market", task_id="t")

    assert reading.state is State.TRANSIENT_ERROR
    assert reading.anomalies == ("no_answer",)


async def test_a_task_kie_has_already_is_created_though_the_code_is_an_error(kie: Kie) -> None:
    # Veo's 4K endpoint, asked a second time.
    data = {"taskId": "t1", "resultUrls": None, "imageUrls": None}
    kie.reply = http({"code": 422, "msg": "4k is processing. Please check back.", "data": data})

    assert await create(kie.port, "veo_4k") == Created("t1")


async def test_an_endpoint_kie_does_not_have_is_never_asked(kie: Kie) -> None:
    async with api_on(kie.port) as api:
        readings = [await api.poll(family=name, task_id="t") for name in ("nothing", "suno_style")]

    assert [reading.state for reading in readings] == [State.FATAL_ERROR] * 2
    assert [reading.anomalies for reading in readings] == [("no_endpoint",)] * 2
    assert kie.requests == []


@pytest.mark.parametrize("prompt", [float("nan"), "\ud800"])
async def test_what_is_no_json_is_refused_before_it_is_sent(kie: Kie, prompt: float | str) -> None:
    async with api_on(kie.port) as api:
        created = await api.create_task(
            family="market", model="m", input={"prompt": prompt}, callback_url=None
        )

    assert isinstance(created, Unfit)
    assert created.why == "input_unfit"
    assert kie.requests == []


async def test_the_balance_is_asked_for(kie: Kie) -> None:
    kie.reply = http({"code": 200, "msg": "success", "data": 5916.25})

    async with api_on(kie.port) as api:
        balance = await api.credits()

    assert balance == Credits(5916.25)
    assert kie.requests[0].startswith(b"GET /api/v1/chat/credit HTTP/1.1\r\n")


async def test_a_download_address_is_asked_for(kie: Kie) -> None:
    kie.reply = http({"code": 200, "data": "https://tempfile.example/a.png?token=x"})

    async with api_on(kie.port) as api:
        told = await api.download_url("https://tempfile.example/a.png")

    assert told == DownloadUrl("https://tempfile.example/a.png?token=x")
    assert kie.requests[0].startswith(b"POST /api/v1/common/download-url HTTP/1.1\r\n")
    assert kie.last_body == {"url": "https://tempfile.example/a.png"}


async def test_a_foreign_address_is_refused_in_the_envelope(kie: Kie) -> None:
    kie.reply = http({"code": 422, "msg": "url is wrong", "data": None})

    async with api_on(kie.port) as api:
        told = await api.download_url("https://elsewhere.example/a.png")

    assert told == Unavailable("refused", "422", "url is wrong")


@pytest.mark.parametrize(
    "reply, kind",
    [
        (BREAK_OFF, "later"),
        (HANG, "later"),
        (http(b"<html>", 502), "later"),
        (http({"code": 429}), "later"),
        (http({"code": 401, "msg": f"key {API_KEY} is bad"}), "owner_account"),
        (http({"code": 200, "data": None}), "later"),
        (http({"code": 200, "data": "a lot"}), "later"),
    ],
    ids=["broken off", "silent", "proxy", "busy", "bad key", "null", "words"],
)
async def test_a_balance_nobody_tells_is_unavailable(
    kie: Kie, reply: bytes | None, kind: str
) -> None:
    kie.reply = reply

    async with api_on(kie.port, call_timeout=0.3) as api:
        told = await api.credits()

    assert isinstance(told, Unavailable)
    assert told.kind == kind
    assert API_KEY not in repr(told)
