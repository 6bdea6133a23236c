"""Lifecycle: signals stop gracefully, crashes stop loudly, exit codes say which."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from chassis import lifecycle
from chassis.settings import ServiceSettings
from chassis_servers import NatsServer, free_port

SERVICE = Path(__file__).with_name("lifecycle_service.py")


def start(*arguments: str, **settings: str) -> subprocess.Popen[str]:
    environ = dict(os.environ)  # noqa: TID251 - handed on
    return subprocess.Popen(
        [sys.executable, SERVICE, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ | {f"SENDONCE_{name}": value for name, value in settings.items()},
    )


def read_until(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdout is not None
    for read in process.stdout:
        if read.strip() == line:
            return
    raise AssertionError(process.communicate()[1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_parts_then_resources_and_exits_0(number: signal.Signals) -> None:
    process = start()
    read_until(process, "serving")

    process.send_signal(number)
    out, err = process.communicate(timeout=10)

    assert process.returncode == 0, err
    assert out.splitlines() == ["part stopped", "resource closed"]
    assert "service.stopping" in err


def test_a_crashed_part_stops_the_service_with_1() -> None:
    process = start("crash")

    out, err = process.communicate(timeout=10)

    assert process.returncode == 1
    assert "part.crashed" in err
    assert "broken part" in err
    assert "resource closed" in out


def test_wrong_settings_exit_with_2_and_a_readable_text() -> None:
    process = start(HEALTH_PROT="1")

    _, err = process.communicate(timeout=10)

    assert process.returncode == 2
    assert "did you mean SENDONCE_HEALTH_PORT?" in err
    assert "Traceback" not in err


def test_a_signal_while_nats_is_away_exits_0(nats_server: NatsServer) -> None:
    process = start("nats", NATS_URL=nats_server.url)
    read_until(process, "serving")
    nats_server.kill()

    process.terminate()
    _, err = process.communicate(timeout=15)

    assert process.returncode == 0, err
    assert "Traceback" not in err


def test_a_signal_during_a_start_that_waits_for_nats_exits_0() -> None:
    process = start("nats", NATS_URL=f"nats://127.0.0.1:{free_port()}")
    read_until(process, "connecting")

    process.terminate()
    out, err = process.communicate(timeout=15)

    assert process.returncode == 0, err
    assert "resource closed" in out


class Waiter:
    """A part that notes its stop, or ends when told."""

    def __init__(self, name: str, journal: list[str]) -> None:
        self.name = name
        self.end = asyncio.Event()
        self._journal = journal

    async def run(self, ready: asyncio.Event) -> None:
        ready.set()
        try:
            await self.end.wait()
        finally:
            self._journal.append(self.name)


async def test_in_process_parts_stop_in_reverse_before_resources_close() -> None:
    journal: list[str] = []

    async def build(_: ServiceSettings, stack: AsyncExitStack) -> Sequence[lifecycle.Part]:
        stack.callback(journal.append, "resource")
        return [Waiter("first", journal), Waiter("second", journal)]

    async with lifecycle.service(build, ServiceSettings(), name="test") as running:
        await running.stop()
        await running.stop()

    assert journal == ["second", "first", "resource"]


class Finishing:
    """A part that takes its time to stop."""

    name = "finishing"

    def __init__(self, *, stop_grace: float | None) -> None:
        if stop_grace is not None:
            self.stop_grace = stop_grace
        self.may_end = asyncio.Event()
        self.finished = False

    async def run(self, ready: asyncio.Event) -> None:
        ready.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await self.may_end.wait()
            self.finished = True


@pytest.mark.parametrize("own, finishes", [(None, False), (30.0, True)])
async def test_a_part_may_ask_for_more_grace_than_most(
    monkeypatch: pytest.MonkeyPatch, own: float | None, finishes: object
) -> None:
    monkeypatch.setattr(lifecycle, "STOP_GRACE", 0.01)
    part = Finishing(stop_grace=own)

    async def build(_: ServiceSettings, _stack: AsyncExitStack) -> Sequence[lifecycle.Part]:
        return [part]

    async with lifecycle.service(build, ServiceSettings(), name="test") as running:
        asyncio.get_running_loop().call_later(0.1, part.may_end.set)
        await running.stop()

        assert part.finished is finishes
        part.may_end.set()


async def test_in_process_a_part_that_ends_is_a_crash() -> None:
    journal: list[str] = []
    part = Waiter("only", journal)

    async def build(_: ServiceSettings, _stack: AsyncExitStack) -> Sequence[lifecycle.Part]:
        return [part]

    async def serve() -> None:
        async with lifecycle.service(build, ServiceSettings(), name="test") as running:
            part.end.set()
            await asyncio.wait_for(running.until_crash(), 5)

    with pytest.raises(lifecycle.PartCrashed, match="only"):
        await serve()
