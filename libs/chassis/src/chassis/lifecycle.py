"""Starting, running and stopping a service; the only place that installs signal handlers."""

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol, TypeVar, runtime_checkable

import structlog

from chassis import logs, settings, tracing

log = structlog.get_logger()

# Seconds a part gets to finish what it holds, unless it asks for more; below Kubernetes' 30.
STOP_GRACE = 20.0

# New containers between two collections, and collections between two of the next generation. A burst
# of messages holds some thousand at a time; looking earlier finds nothing to free.
COLLECT_AFTER = (10_000, 20, 20)

OK, CRASHED, BAD_SETTINGS = 0, 1, 2


class Part(Protocol):
    """Something that runs in the background for as long as the service does."""

    @property
    def name(self) -> str:
        """Name for logs."""
        ...

    async def run(self, ready: asyncio.Event) -> None:
        """Set `ready` once serving, then run until cancelled; clean up in `finally`.

        Raising, or returning before being cancelled, is a crash that stops the service.
        """
        ...


@runtime_checkable
class Unhurried(Protocol):
    """A part that needs another grace than most; who deploys it must grant at least as much."""

    @property
    def stop_grace(self) -> float:
        """Seconds from being told to stop until it is given up."""
        ...


S_contra = TypeVar("S_contra", bound=settings.ServiceSettings, contravariant=True)
S = TypeVar("S", bound=settings.ServiceSettings)


class Build(Protocol[S_contra]):
    """A service's wiring: enters resources on the stack, returns the parts in start order."""

    def __call__(
        self, settings: S_contra, stack: AsyncExitStack, /
    ) -> Coroutine[None, None, Sequence[Part]]:
        """Wire the service; what it opens closes in reverse order after the parts have stopped."""
        ...


class PartCrashed(Exception):
    """A part ended by itself; its own exception, if any, is the cause."""

    def __init__(self, part: str) -> None:
        """Name the part."""
        super().__init__(f"part {part} ended by itself")
        self.part = part


class Running:
    """A started service; leaving its `async with` block stops it."""

    def __init__(self, name: str) -> None:
        """Begin with nothing started."""
        self.name = name
        self._tasks: list[tuple[Part, asyncio.Task[None]]] = []
        self._crash: asyncio.Future[PartCrashed] = asyncio.get_running_loop().create_future()
        self._stopping = False

    async def until_crash(self) -> PartCrashed:
        """Wait until a part ends by itself; for ever in a healthy service."""
        return await asyncio.shield(self._crash)

    async def start(self, part: Part) -> None:
        """Start one part and wait until it serves, or raise its crash."""
        ready = asyncio.Event()
        task = asyncio.create_task(part.run(ready), name=f"{self.name}:{part.name}")
        self._tasks.append((part, task))
        task.add_done_callback(lambda done: self._note_end(part.name, done))
        serving = asyncio.create_task(ready.wait())
        try:
            await asyncio.wait({task, serving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            serving.cancel()
        self.raise_crash()

    def raise_crash(self) -> None:
        """Raise the crash of a part, if there was one."""
        if self._crash.done():
            raise self._crash.result()

    async def stop(self) -> None:
        """Stop the parts, last started first; calling it again does nothing."""
        self._stopping = True
        while self._tasks:
            part, task = self._tasks.pop()
            await _stop(part, task)

    def _note_end(self, name: str, task: asyncio.Task[None]) -> None:
        if self._stopping or self._crash.done():
            return
        crash = PartCrashed(name)
        if not task.cancelled():
            crash.__cause__ = task.exception()
        log.error("part.crashed", part=name, service=self.name, exc_info=crash)
        self._crash.set_result(crash)


async def _stop(part: Part, task: asyncio.Task[None]) -> None:
    grace = part.stop_grace if isinstance(part, Unhurried) else STOP_GRACE
    task.cancel()
    _, late = await asyncio.wait({task}, timeout=grace)
    if late:
        log.error("part.stop_timed_out", part=part.name, seconds=grace)
    elif not task.cancelled() and (problem := task.exception()) is not None:
        # A far side that is away while we leave is no reason to fail the leaving.
        log.warning("part.stop_failed", part=part.name, exc_info=problem)


@asynccontextmanager
async def service(build: Build[S], chosen: S, *, name: str) -> AsyncIterator[Running]:
    """Run a service inside this event loop: one-process mode and tests.

    Raises `PartCrashed` on leaving when a part ended by itself.
    """
    running = Running(name)
    async with AsyncExitStack() as stack:
        parts = await build(chosen, stack)
        stack.push_async_callback(running.stop)
        for part in parts:
            await running.start(part)
        log.info("service.started", service=name, parts=[part.name for part in parts])
        yield running
        await running.stop()
        running.raise_crash()
    log.info("service.stopped", service=name)


def run(build: Build[S], settings_class: type[S], *, name: str) -> int:
    """Run a service as this process until SIGTERM, SIGINT or a crash; returns the exit code.

    0 after a signal, 1 after a crash or a start that failed, 2 with a readable text on stderr
    when the settings are wrong.
    """
    try:
        chosen = settings.load(settings_class)
    except settings.SettingsError as wrong:
        logs.complain(str(wrong))
        return BAD_SETTINGS
    logs.configure(output=chosen.log_format, level=chosen.log_level, service=name)
    with tracing.exporting(chosen.otlp_endpoint, ratio=chosen.trace_ratio, service=name):
        return run_loop(_until_stopped(build, chosen, name))


def run_loop(main: Coroutine[None, None, int]) -> int:
    """Run a coroutine on uvloop where there is one, else on asyncio's own loop."""
    try:
        import uvloop  # noqa: PLC0415 - absent on some platforms
    except ImportError:
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


async def _until_stopped(build: Build[S], chosen: S, name: str) -> int:
    asked = stop_signal()
    serving = asyncio.create_task(_serve(build, chosen, name))
    await asyncio.wait({serving, asked}, return_when=asyncio.FIRST_COMPLETED)
    if not serving.done():
        log.info("service.stopping", service=name)
        serving.cancel()
        await asyncio.wait({serving})
    if serving.cancelled():
        return OK
    problem = serving.exception()
    if problem is None:
        return OK
    log.error("service.crashed", service=name, exc_info=problem)
    return OK if asked.done() else CRASHED


async def _serve(build: Build[S], chosen: S, name: str) -> None:
    async with service(build, chosen, name=name) as running:
        leave_the_start_alone()
        await running.until_crash()


def leave_the_start_alone() -> None:
    """Spare the garbage collector what a start leaves behind: modules and models, never garbage.

    Looking through them again and again costs pauses of some 50 ms under load.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def stop_signal() -> asyncio.Future[None]:
    """Install SIGTERM and SIGINT handlers; the future is done once one of them came."""
    loop = asyncio.get_running_loop()
    asked: asyncio.Future[None] = loop.create_future()

    def ask() -> None:
        if not asked.done():
            asked.set_result(None)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask)
    return asked
