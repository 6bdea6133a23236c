"""A service whose awaits obey orders.

An order is a file, read at every point: which point, before or after it, and what to do there:
`kill` (`os._exit`, as if by SIGKILL), `freeze` (SIGSTOP) or `note` (write down every point that is
reached). An order is taken back before it is obeyed, so it is obeyed once.
"""

import builtins
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final

from crash import points

ORDERS: Final = "CRASH_ORDERS"
KILLED: Final = 137
# Leases as short as doubles on loopback allow, so that a killed worker is not waited for long.
SHORT: Final = {
    "DISPATCH_LEASE": 8.0,
    "CREATE_TASK_TIMEOUT": 2.0,
    "SUBMIT_LEASE": 7.0,
    "TELEGRAM_LEASE": 3.0,
    "SEND_TIMEOUT": 2.0,
    "SEND_LEASE": 5.0,
    "SEND_DISPATCH_LEASE": 6.0,
    "STAGE_LEASE": 6.0,
    "STAGE_AFTER": 0.2,
    "SET_ASIDE": 1.0,
    "POLL_LEASE": 3.0,
}


class Orders:
    """What the test wants of this process, looked up at every point."""

    def __init__(self) -> None:
        self._path = ""
        self._stamp = 0
        self._order: dict[str, str] = {}
        self._noted: set[str] = set()

    def obey(self, path: Path) -> None:
        """Look here from now on."""
        self._path = str(path)

    def reached(self, name: str, when: str) -> None:
        """Obey the order for this moment, if there is one."""
        self._look()
        if self._order.get("do") == "note":
            self._note(f"{name} {when}")
        elif self._order.get("at") == name and self._order.get("when") == when:
            os.unlink(self._path)  # noqa: PTH108 - on the way to every await
            if self._order["do"] == "freeze":
                self._order, self._stamp = {}, 0
                os.kill(os.getpid(), signal.SIGSTOP)
            else:
                os._exit(KILLED)

    def _look(self) -> None:
        try:
            stamp = os.stat(self._path).st_mtime_ns  # noqa: PTH116 - as above
        except FileNotFoundError:
            self._order, self._stamp = {}, 0
            return
        if stamp != self._stamp:
            self._order = json.loads(Path(self._path).read_text("utf-8"))
            self._stamp = stamp
            self._noted = set()

    def _note(self, line: str) -> None:
        if line not in self._noted:
            self._noted.add(line)
            with Path(self._order["into"]).open("a", encoding="utf-8") as notes:
                notes.write(line + "\n")


class _Entered:
    """An asynchronous context whose entering and leaving are points too."""

    def __init__(self, orders: Orders, name: str, inner: Any) -> None:
        self._orders, self._name, self._inner = orders, name, inner

    async def __aenter__(self) -> Any:
        self._orders.reached(self._name, "before entering")
        entered = await self._inner.__aenter__()
        self._orders.reached(self._name, "after entering")
        return entered

    async def __aexit__(self, *problem: object) -> bool | None:
        self._orders.reached(self._name, "before leaving")
        swallowed: bool | None = await self._inner.__aexit__(*problem)
        self._orders.reached(self._name, "after leaving")
        return swallowed


def install(orders: Orders) -> None:
    """Rewrite every module of ours that is imported from now on."""

    async def awaited(name: str, inner: Awaitable[Any]) -> Any:
        orders.reached(name, "before")
        answer = await inner
        orders.reached(name, "after")
        return answer

    async def iterated(name: str, inner: Any) -> AsyncIterator[Any]:
        orders.reached(name, "before")
        async for each in inner:
            orders.reached(name, "after")
            yield each

    setattr(builtins, points.AWAITED, awaited)
    setattr(builtins, points.ITERATED, iterated)
    setattr(builtins, points.ENTERED, lambda name, inner: _Entered(orders, name, inner))
    sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Finds our own modules and gives them a loader that rewrites them."""

    def find_spec(
        self, fullname: str, path: Any = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in (*points.SERVICES, *points.LIBRARIES):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        """Compile anew: what Python keeps itself is not rewritten."""
        tree = points.rewritten(self.get_data(self.path), fullname)
        code: CodeType = compile(tree, self.path, "exec", dont_inherit=True)
        return code


# A journal that is condensed in every life.
CONDENSED_AT: Final = 16 * 1024  # bytes


def shorten() -> None:
    """Give job-store the short leases and a short journal; after the hook, before their users."""
    from job_store.domain import rules  # noqa: PLC0415

    for name, seconds in SHORT.items():
        setattr(rules, name, timedelta(seconds=seconds))
    from job_store.journal import disk  # noqa: PLC0415 - its statements take over the leases

    disk.CONDENSED_AT, disk.SHARE_OF_SNAPSHOT = CONDENSED_AT, 0.0


# What else comes round too rarely for a life to meet it.
OFTEN: Final = timedelta(seconds=2)
RENEW_EVERY: Final = 0.3  # seconds


def hasten() -> None:
    """Let rare clocks tick in every life; after the services were imported."""
    from deliverer.handlers import holding  # noqa: PLC0415 - imported before the hook they are not rewritten
    from job_store import app as job_store  # noqa: PLC0415
    from job_store.store import laws  # noqa: PLC0415
    from submitter import app as submitter  # noqa: PLC0415

    for clock in ("MEASURE_EVERY", "PURGE_EVERY", "PURGE_AGED_EVERY", "FORGET_EVERY"):
        setattr(job_store, clock, OFTEN)
    laws.SHORTEST_REST = OFTEN.total_seconds()  # type: ignore[misc]
    submitter.CREDITS_EVERY = OFTEN  # type: ignore[misc]
    holding.RENEW_EVERY = RENEW_EVERY  # type: ignore[misc]
