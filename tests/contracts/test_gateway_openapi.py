"""The gateway's document against the running gateway: each answer it names comes, and no other does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cache
from itertools import product
from pathlib import Path
from typing import Final, NoReturn

import gateway_openapi
import httpx
import pytest
from document_paths import at, names
from gateway_openapi import ADDRESSES, ELSEWHERE, Address
from pydantic import JsonValue

from callback_arrivals import SUCCESS, signed, token
from callback_gateway import http
from callback_gateway.domain import answers
from callback_gateway.domain.answers import Problem
from callback_gateway.domain.arrival import BODY_KEPT, Callback
from callback_port import Port, gateway, make_reports_stream, settings_for
from chassis import clock
from testkit.servers.durability import Durability
from testkit.servers.nats import NatsServer

PLAIN, WITH_TOKEN = http.CALLBACKS, http.WITH_TOKEN
Provoke = Callable[[NatsServer, str], Awaitable[httpx.Response]]


@cache
def documented(path: str) -> dict[tuple[int, str, str], JsonValue]:
    """Every answer of a POST: status, media type and name, with the body it shows."""
    responses = at("paths", path, "post", "responses")
    return {
        (int(status), media, name): at(
            status, "content", media, "examples", name, "value", within=responses
        )
        for status in names(within=responses)
        for media in names(status, "content", within=responses)
        for name in names(status, "content", media, "examples", within=responses)
    }


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[NatsServer]:
    async with NatsServer(tmp_path / "nats", durability=Durability.KILL) as server:
        await make_reports_stream(server.url)
        yield server
        await server.discard()


@asynccontextmanager
async def door(
    on_callback: http.OnCallback, *, open_requests: int = 1
) -> AsyncIterator[httpx.AsyncClient]:
    """The application alone, where what is behind it must fail."""
    limits = http.Limits(
        body_deadline=timedelta(seconds=0.2), body_bytes=2**20, open_requests=open_requests
    )
    app = http.Door(on_callback, limits=limits, clock=clock.SYSTEM)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://gateway"
    ) as client:
        yield client


def address(path: str, last: str | None = None) -> str:
    return path.replace("{token}", last if last is not None else token())


async def broken(_callback: Callback, *, began: float) -> NoReturn:
    raise RuntimeError(began)


def posting(
    raw: bytes = SUCCESS, headers: dict[str, str] | None = None, *, last: str | None = None
) -> Provoke:
    async def provoke(bus: NatsServer, path: str) -> httpx.Response:
        async with gateway(settings_for(bus.url)) as port:
            return await send(port, path, raw, headers, last=last)

    return provoke


async def send(
    port: Port, path: str, raw: bytes, headers: dict[str, str] | None, *, last: str | None
) -> httpx.Response:
    kind = {"content-type": "application/json"}
    return await port.client.post(address(path, last), content=raw, headers=kind | (headers or {}))


async def slow(_bus: NatsServer, path: str) -> httpx.Response:
    async def body() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async with door(broken) as client:
        return await client.post(address(path), content=body())


async def failing(_bus: NatsServer, path: str) -> httpx.Response:
    async with door(broken) as client:
        return await client.post(address(path), content=SUCCESS)


async def busy(_bus: NatsServer, path: str) -> httpx.Response:
    async with door(broken, open_requests=0) as client:
        return await client.post(address(path), content=SUCCESS)


async def without_bus(bus: NatsServer, path: str) -> httpx.Response:
    async with gateway(settings_for(bus.url, gateway_publish_seconds=0.4)) as port:
        await bus.kill()
        return await send(port, path, SUCCESS, None, last=None)


async def flooded(bus: NatsServer, path: str) -> httpx.Response:
    """One a burst, and the next ten seconds later: the second is one too many."""
    stranger = token(key_id="retired", key=b"x" * 32)
    async with gateway(settings_for(bus.url, gateway_unvouched_per_second=0.1)) as port:
        await send(port, path, SUCCESS, None, last=stranger)
        return await send(port, path, SUCCESS, None, last=stranger)


async def crowded(bus: NatsServer, path: str) -> httpx.Response:
    async with gateway(settings_for(bus.url, gateway_connections=1)) as port:
        return await send(port, path, SUCCESS, None, last=None)


FORGED: Final = signed("task-1", at=clock.SYSTEM.now(), key=b"another")
PROVOKED: Final[dict[str, Provoke]] = {
    "stored": posting(),
    "forged-token": posting(last="forged"),
    "not-found": posting(last="a/b"),
    "not-json": posting(b"\xff"),
    "no-task-id": posting(b"{}"),
    "wrong-signature": posting(headers=FORGED),
    "too-large": posting(b" " * (BODY_KEPT + 1)),
    "not-declared-json": posting(headers={"content-type": "text/plain"}),
    "too-many-unvouched": flooded,
    "slow-body": slow,
    "broken": failing,
    "not-stored": without_bus,
    "busy": busy,
    "too-many-connections": crowded,
}


def body_of(answer: httpx.Response) -> JsonValue:
    said: JsonValue = answer.json() if "json" in answer.headers["content-type"] else answer.text
    return said


@pytest.mark.parametrize(
    "path,status,media,name",
    [(path, *answer) for path in (WITH_TOKEN, PLAIN) for answer in documented(path)],
)
async def test_an_answer_the_document_names_comes_as_it_is_shown(
    bus: NatsServer, path: str, status: int, media: str, name: str
) -> None:
    answer = await PROVOKED[name](bus, path)

    assert (answer.status_code, answer.headers["content-type"]) == (status, media)
    assert body_of(answer) == documented(path)[status, media, name]
    if "retry-after" in answer.headers:
        headers = at("paths", path, "post", "responses", str(status), "headers")
        told = int(answer.headers["retry-after"])
        assert allows(at("Retry-After", "schema", within=headers), told)


def allows(schema: JsonValue, told: int) -> bool:
    """Whether a whole number is one of those shown, or no less than the least."""
    match schema:
        case {"type": "integer", "enum": list(shown)}:
            return told in shown
        case {"type": "integer", "minimum": int(least)}:
            return told >= least
    return False


RAW: Final = (SUCCESS, b"", b"\x00\xff", b"[]", b"{}", SUCCESS * 2)
HEADERS: Final[tuple[dict[str, str], ...]] = (
    {},
    {"content-type": "text/plain"},
    {"content-encoding": "gzip"},
    {"x-webhook-signature": "bad", "x-webhook-timestamp": "1"},
    signed("task-1", at=clock.SYSTEM.now()),
)
# Each address with the last part of its path, as callers may spell it.
TARGETS: Final = (
    (PLAIN, None),
    (WITH_TOKEN, token()),
    (WITH_TOKEN, token(key_id="retired", key=b"x" * 32)),
    (WITH_TOKEN, token(attempt=0)),
    (WITH_TOKEN, token()[:-1]),
    (WITH_TOKEN, "%00%ff"),
    (WITH_TOKEN, "a%2Fb"),
    (WITH_TOKEN, "x" * 4_000),
)


async def test_whatever_is_sent_no_other_answer_comes(bus: NatsServer) -> None:
    async with gateway(settings_for(bus.url)) as port:
        for raw, headers, (path, last) in product(RAW, HEADERS, TARGETS):
            answer = await send(port, path, raw, headers, last=last)

            shown = [(status, media, said) for (status, media, _), said in documented(path).items()]
            seen = (answer.status_code, answer.headers["content-type"], body_of(answer))
            assert seen in shown, (path, raw[:20], headers, last)


def test_every_problem_of_the_gateway_stands_at_an_address_or_elsewhere() -> None:
    told = {one.name for address in ADDRESSES for one in address.problems}
    elsewhere = {one.name for one in ELSEWHERE}

    assert told | elsewhere == {one.name for one in answers.ALL}
    assert at("components", "schemas", "CallbackProblem", "properties", "type", "enum") == [
        one.type for one in answers.ALL
    ]


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda one: one.operation)
def test_every_problem_of_an_address_is_shown_with_its_status(address: Address) -> None:
    shown = {(status, name) for status, _, name in documented(address.path)}

    assert {(one.status, one.name) for one in address.problems} <= shown


@pytest.mark.parametrize("problem", ELSEWHERE, ids=lambda one: one.name)
async def test_elsewhere_a_problem_comes_too(problem: Problem) -> None:
    method, path = ("GET", PLAIN) if problem is answers.WRONG_METHOD else ("POST", "/")
    async with door(broken) as client:
        answer = await client.request(method, path)

    assert answer.status_code == problem.status
    assert answer.json() == gateway_openapi.body(problem)
