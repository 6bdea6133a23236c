"""The command by which a container engine asks whether a service is ready."""

import asyncio
import socket
import sys

import pytest

from chassis import health, lifecycle
from chassis.settings import ServiceSettings


class Far:
    def __init__(self) -> None:
        self.away = False

    async def check(self) -> None:
        if self.away:
            raise ConnectionError("away")


async def probe(port: int | str) -> tuple[int | None, str]:
    asked = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "chassis.probe"),
        env={"SENDONCE_HEALTH_PORT": str(port)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asked.communicate()
    return asked.returncode, said.decode()


async def test_it_says_what_readyz_says() -> None:
    far = Far()
    parts = health.health_parts(ServiceSettings(), {"postgres": far.check})
    running = lifecycle.Running("test")
    for part in parts:
        await running.start(part)
    _, server = parts
    assert await probe(server.port) == (0, "")
    far.away = True
    code, said = await probe(server.port)
    assert (code, "postgres" in said) == (1, True)
    await running.stop()


@pytest.mark.parametrize("port", ["0", "nonsense", "99999"])
async def test_no_answer_is_not_ready(port: str) -> None:
    code, said = await probe(port)
    assert (code, "SENDONCE_HEALTH_PORT" in said) == (1, True)


async def test_a_closed_port_is_not_ready() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        code, said = await probe(closed.getsockname()[1])
    assert (code, "refused" in said) == (1, True)
