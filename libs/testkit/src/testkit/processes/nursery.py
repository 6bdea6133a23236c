"""Processes that are forked instead of started: everything is imported once, so a start costs no start of Python.

A nursery is a module that imports what its children need and then calls `serve`. Each line it hears
is a child to be born: its log, its environment, the module it becomes. The answer is the process id.
"""

import ctypes
import json
import os
import runpy
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, NoReturn, Self
from uuid import uuid4

import psutil

from testkit.processes.child import Child, Handle
from testkit.processes.service import ServiceProcess, ServiceSpec, environment, python_module
from testkit.processes.waiting import holds

PR_SET_PDEATHSIG: Final = 1
OPEN_WITHIN: Final = 60.0  # seconds for one Python that imports everything on a small machine
GONE: Final = -1  # nobody is told how a child ended that its nursery has buried
MODULE: Final = 2  # where it stands in `python -m module arguments`

Begin = Callable[[Sequence[str], dict[str, str]], None]


class Nursery:
    """Where forked processes come from: `python -m module ADDRESS arguments`."""

    def __init__(self, module: str, *arguments: str, directory: Path, path: Path) -> None:
        self._address = f"\0nursery-{uuid4()}"  # abstract: no path that could be too long
        self._child = Child(
            name=module,
            command=python_module(module, self._address[1:], *arguments),
            log=directory / f"{module}.log",
            env=environment({"PYTHONPATH": str(path)}),
        )

    async def __aenter__(self) -> Self:
        self._child.spawn()
        if not await holds(self._answers, within=OPEN_WITHIN):
            raise RuntimeError(self._child.log_tail())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._child.kill()

    def born(self, *, command: Sequence[str], log: Path, env: Mapping[str, str]) -> Handle:
        """Begin one process; of a command only the module and its arguments count."""
        asked = {"argv": list(command[MODULE:]), "log": str(log), "env": dict(env)}
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(self._address)
            line.sendall(json.dumps(asked).encode() + b"\n")
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
        super().__init__(name=spec.name, command=spec.command, log=spec.log, env=spec.env)
        self._nursery = nursery

    def _begun(self) -> Handle:
        return self._nursery.born(command=self._command, log=self.log, env=self._env)


def process_of(spec: ServiceSpec, nursery: Nursery | None) -> ServiceProcess:
    """Return a service that its nursery begins; without one it is started."""
    return ServiceProcess(spec, None if nursery is None else _Forked(spec, nursery))


# -- inside the nursery ----------------------------------------------------------------------------------


def become(argv: Sequence[str], env: Mapping[str, str]) -> None:
    """Be `python -m argv` in this environment."""
    os.environ.update(env)
    sys.argv = list(argv)
    runpy.run_module(argv[0], run_name="__main__", alter_sys=True)


def serve(address: str, begin: Begin = become) -> NoReturn:
    """Fork a child whenever one is asked for."""
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
                    _live(json.loads(asked), begin)
                line.sendall(f"{pid}\n".encode())


def _live(asked: Mapping[str, object], begin: Begin) -> NoReturn:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(str(asked["log"]), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    code = 1
    try:
        begin(asked["argv"], dict(asked["env"]))  # type: ignore[arg-type, call-overload]
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
