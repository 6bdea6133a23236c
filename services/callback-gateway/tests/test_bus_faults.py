"""What the bus may do to a callback: answer late, be full, stand still, lock the gateway out."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats
import pytest

from callback_arrivals import SUCCESS, token
from callback_port import Reports, gateway, make_reports_stream, settings_for
from contracts import streams
from testkit.links import Link, State
from testkit.ports import LOOPBACK, free_port
from testkit.servers import Durability, NatsServer

SOON = 0.4  # seconds the bus gets to store a callback
BACK_WITHIN = 20.0  # seconds
ROOM = 20_000  # bytes of a stream that is soon full

USERS = """\
authorization {{
  users = [ {{ user: gateway, password: {password}, permissions: {{
    publish: {{ allow: [{allowed}] }}, subscribe: ["_INBOX.>"] }} }},
    {{ user: operator, password: operator }} ]
}}
"""
ALLOWED = ("$JS.API.>", "reports.received")


async def test_fault_05_a_late_puback_is_503_and_the_retry_finds_the_same_report_stored(
    bus_server: NatsServer, reports: Reports
) -> None:
    async with Link(bus_server.port, port=free_port()) as link:
        url = f"nats://{LOOPBACK}:{link.port}"
        async with gateway(settings_for(url, gateway_publish_seconds=SOON)) as port:
            link.set(State.DEAF)
            first = await port.post(SUCCESS, token=token())
            ghosts = await reports.count()
            link.set(State.OPEN)
            await port.stored_within(BACK_WITHIN)

    assert first.status_code == 503
    assert ghosts == 1
    assert await reports.count() == 1


async def test_fault_18_a_full_stream_is_503_and_nothing_that_was_taken_makes_room(
    bus_server: NatsServer, reports: Reports
) -> None:
    js = reports.client.jetstream()
    async with gateway(settings_for(bus_server.url, gateway_publish_seconds=SOON)) as port:
        stands = (await js.stream_info(streams.REPORTS)).config
        await js.update_stream(stands.evolve(max_bytes=ROOM))
        taken = 0
        while (answer := await port.post(SUCCESS, token=token(attempt=taken + 1))).is_success:
            taken += 1
        kept = await reports.count()
        await js.update_stream(stands)
        await port.stored_within(BACK_WITHIN)

    assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (503, True)
    assert kept == taken > 0


@asynccontextmanager
async def locked(directory: Path) -> AsyncIterator[NatsServer]:
    """A bus that asks for a password, with REPORTS in it."""
    server = NatsServer(directory, durability=Durability.KILL, more_config=users())
    async with server:
        await make_reports_stream(url_for(server, "operator", "operator"))
        yield server


def users(*, password: str = "right", allowed: tuple[str, ...] = ALLOWED) -> str:
    return USERS.format(password=password, allowed=", ".join(f'"{each}"' for each in allowed))


def url_for(server: NatsServer, user: str, password: str) -> str:
    return server.url.replace("//", f"//{user}:{password}@")


def reload(server: NatsServer, before: str, after: str) -> None:
    """Change a part of the configuration as an operator does."""
    config = server.data_directory / "nats.conf"
    text = config.read_text("utf-8")
    assert before in text
    config.write_text(text.replace(before, after), "utf-8")
    os.kill(server.pid, signal.SIGHUP)


# nats-py drops an attempt that is refused without closing its socket.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "without",
    [
        pytest.param(users(password="another"), id="password-rotated"),
        pytest.param(users(allowed=ALLOWED[:1]), id="permission-revoked"),
    ],
)
async def test_fault_24_who_is_locked_out_answers_503_and_goes_on_when_let_in_again(
    tmp_path: Path, without: str
) -> None:
    async with locked(tmp_path / "nats") as server:
        settings = settings_for(url_for(server, "gateway", "right"), gateway_publish_seconds=SOON)
        async with gateway(settings) as port:
            assert (await port.post(SUCCESS, token=token(attempt=1))).is_success

            reload(server, users(), without)
            await refused(server)
            answers = [await port.post(SUCCESS, token=token(attempt=n)) for n in (2, 3)]
            kept = await stored(server)

            reload(server, without, users())
            await port.stored_within(BACK_WITHIN)

    assert [answer.status_code for answer in answers] == [503, 503]
    assert kept == 1


async def stored(server: NatsServer) -> int:
    client = await nats.connect(url_for(server, "operator", "operator"))
    try:
        return await Reports(client).count()
    finally:
        await client.close()


async def refused(server: NatsServer) -> None:
    """Wait until the server has read its configuration again."""
    async with asyncio.timeout(BACK_WITHIN):
        while "Reloaded server configuration" not in server.log_tail():
            await asyncio.sleep(0.02)  # noqa: TID251 - the rate at which the log is looked at
