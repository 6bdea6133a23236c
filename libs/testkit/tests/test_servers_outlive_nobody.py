"""No server outlives the process that started it, and what was left anyway is no obstacle."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from testkit.processes import holds
from testkit.processes.child import is_alive
from testkit.servers import Durability, NatsServer, PostgresServer

OWNER = """
import asyncio, sys
from pathlib import Path
from testkit.servers import Durability, {kind}

async def main():
    server = {kind}(Path(sys.argv[1]), durability=Durability.KILL)
    await server.start()
    {also}
    print(server.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to us")


def owner_of(
    directory: Path, *, kind: str, also: str = "pass"
) -> tuple[subprocess.Popen[str], int]:
    code = OWNER.format(kind=kind, also=also)
    owner = subprocess.Popen(
        [sys.executable, "-c", code, str(directory)], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    with owner.stdout as said:
        return owner, int(said.readline())


def family(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


async def all_gone(processes: list[psutil.Process]) -> bool:
    return await holds(lambda: not any(map(is_alive, processes)), within=10)


@linux_only
@pytest.mark.parametrize("kind", ["NatsServer", "PostgresServer"])
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
async def test_a_server_ends_with_its_owner(tmp_path: Path, kind: str, end: signal.Signals) -> None:
    owner, server = owner_of(tmp_path / "server", kind=kind)
    processes = family(server)

    owner.send_signal(end)
    owner.wait()

    assert await all_gone(processes)


@linux_only
async def test_frozen_survivors_of_a_killed_owner_make_way(tmp_path: Path) -> None:
    owner, server = owner_of(tmp_path / "pg", kind="PostgresServer", also="server.pause()")
    processes = family(server)
    owner.kill()
    owner.wait()

    async with PostgresServer(tmp_path / "pg", durability=Durability.KILL) as successor:
        assert successor.running
        assert await all_gone(processes)


async def test_discard_leaves_neither_process_nor_file(tmp_path: Path) -> None:
    server = NatsServer(tmp_path / "nats", durability=Durability.KILL)
    await server.start()
    processes = family(server.pid)

    await server.discard()

    assert await all_gone(processes)
    assert not (tmp_path / "nats").exists()
