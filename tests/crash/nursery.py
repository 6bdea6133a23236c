"""Services that are forked instead of started: everything is imported once, so a death costs no start of Python.

`python -m crash.nursery SERVICE ADDRESS` imports a service under orders and waits; each line it hears
is a service to be born: where its log is, what its environment says. The answer is the process id.
"""

import ctypes
import importlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, Self
from uuid import uuid4

import psutil

import crash
from crash.child import ORDERS, Orders, install, run_module, shorten
from crash.points import SERVICES
from testkit.processes import (
    Child,
    Handle,
    ServiceProcess,
    ServiceSpec,
    environment,
    holds,
    python_module,
)

TESTS: Final = str(Path(crash.__file__).parents[1])
PR_SET_PDEATHSIG: Final = 1
READY_WITHIN: Final = 60.0  # seconds for five Pythons that import side by side on a small machine
GONE: Final = -1  # nobody is told how a service ended that its nursery has buried


class Nursery:
    """Where one kind of service comes from."""

    def __init__(self, service: str, *, directory: Path) -> None:
        self._address = f"\0crash-{service}-{uuid4()}"  # abstract: no path that could be too long
        self._child = Child(
            name=f"{service}-nursery",
            command=python_module("crash.nursery", service, self._address[1:]),
            log=directory / f"{service}-nursery.log",
            env=environment({"PYTHONPATH": TESTS}),
        )

    async def __aenter__(self) -> Self:
        self._child.spawn()
        if not await holds(self._answers, within=READY_WITHIN):
            raise RuntimeError(self._child.log_tail())
        return self

    async def __aexit__(self, *problem: object) -> None:
        await self._child.kill()

    def born(self, *, log: Path, env: Mapping[str, str]) -> Handle:
        """Begin one process."""
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(self._address)
            line.sendall(json.dumps({"log": str(log), "env": dict(env)}).encode() + b"\n")
            return _Born(int(line.makefile().readline()))

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as line:
            return line.connect_ex(self._address) == 0


class _Born:
    """A process that is not our child; its end is all that is known of it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._process = psutil.Process(pid) if psutil.pid_exists(pid) else None

    def poll(self) -> int | None:
        """Tell whether it is over."""
        if self._process is None or not self._process.is_running():
            return GONE
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end."""
        if self._process is not None:
            psutil.wait_procs([self._process], timeout)
        return GONE

    def send_signal(self, sig: int) -> None:
        """Send a signal."""
        if self._process is not None and self._process.is_running():
            self._process.send_signal(sig)


class _Forked(Child):
    def __init__(self, spec: ServiceSpec, nursery: Nursery) -> None:
        super().__init__(name=spec.name, command=(), log=spec.log, env=spec.env)
        self._nursery = nursery

    def _begun(self) -> Handle:
        return self._nursery.born(log=self.log, env=self._env)


def forked(spec: ServiceSpec, nursery: Nursery) -> ServiceProcess:
    """Return a service that its nursery begins."""
    return ServiceProcess(spec, _Forked(spec, nursery))


@asynccontextmanager
async def nurseries(directory: Path) -> AsyncIterator[dict[str, Nursery]]:
    """One for each service."""
    async with AsyncExitStack() as stack:
        made = {name: Nursery(name, directory=directory) for name in SERVICES}
        for each in made.values():
            await stack.enter_async_context(each)
        yield made


# -- inside the nursery ----------------------------------------------------------------------------------


def main() -> None:
    """Import the service, then fork it whenever that is asked for."""
    module, address = sys.argv[1:]
    orders = Orders()
    install(orders)
    shorten(module)
    importlib.import_module(f"{module}.app")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever ends is buried at once
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(f"\0{address}")
        door.listen()
        while True:
            line, _ = door.accept()
            with line:
                asked = line.makefile().readline()
                if not asked:
                    continue  # somebody looked whether we are here
                pid = os.fork()
                if pid == 0:
                    door.close()
                    line.close()
                    _live(module, orders, json.loads(asked))
                line.sendall(f"{pid}\n".encode())


def _live(module: str, orders: Orders, asked: dict[str, Any]) -> None:
    """Become the service; never returns."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(asked["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    own = dict(asked["env"])
    orders.obey(Path(own.pop(ORDERS)))
    os.environ.update(own)  # noqa: TID251 - what a starter of processes does
    code = 1
    try:
        run_module(module)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
