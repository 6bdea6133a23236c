"""Watches what a server's process makes durable: the content of each file at its last fsync."""

import ctypes
import fcntl
import os
import platform
import secrets
import select
import socket
import stat
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from testkit.servers.watched import CALLS

SCRIPT: Final = Path(__file__).with_name("watched.py")
# The kernel's requests on a filter's listener, and what they carry.
RECEIVE, ANSWER = 0xC0502100, 0xC0182101
HEARD: Final = struct.Struct("=QII iI Q 6Q")  # id, thread, flags; number, machine, where, arguments
ANSWERED: Final = struct.Struct("=Qqi I")  # id, value, error, flags
GO_ON: Final = 1  # the flag: let the kernel do the call as it was made
SYNCS: Final = ("fsync", "fdatasync")
AT_CWD: Final = -100
LONGEST_PATH: Final = 4096
LOOKS_EVERY: Final = 100  # milliseconds; old kernels do not say that the last watched process ended
PROBED_WITHIN: Final = 20.0  # seconds

Inode = tuple[int, int]


@dataclass(slots=True)
class Kept:
    """What a file would hold after a loss of power."""

    content: bytes
    held: int  # an open descriptor: while it is there, no other file can get this inode's number


class DiskWatch:
    """Hears every fsync, fdatasync and O_SYNC open of the commands that run `over` it.

    A call is held until what it makes durable has been copied. A name is taken to be as durable as
    the file it leads to, as ext4, XFS and Btrfs have it: fsync of a new file keeps its name too.
    """

    def __init__(self) -> None:
        self._name = f"testkit-disk-watch-{secrets.token_hex(8)}"
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._lock = threading.Lock()
        self._kept: dict[Inode, Kept] = {}
        # Opened with O_SYNC: every write is durable, and done by the time the file is moved.
        self._written_through: set[Path] = set()
        self._threads: list[threading.Thread] = []
        self.syncs_fail_with = 0  # an errno; while it is set, nothing becomes durable
        self._closing = False
        self._broken: Exception | None = None

    def over(self, command: Sequence[str]) -> tuple[str, ...]:
        """The command that runs this one watched."""
        return (sys.executable, "-I", "-S", str(SCRIPT), self._name, *command)

    def remember(self, directory: Path) -> None:
        """Take everything in a directory for durable as it stands: it was written long ago."""
        with self._lock:
            for path in files_in(directory):
                self._keep(path)

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Nothing is copied meanwhile; raises what went wrong with the watching so far."""
        with self._lock:
            if self._broken is not None:
                raise RuntimeError("the disk was not watched to the end") from self._broken
            for path in self._written_through:
                if path.exists():
                    self._keep(path)
            self._written_through.clear()
            yield

    def durable(self, path: Path) -> bytes | None:
        """The content that a loss of power would leave; None when nothing of it ever was synced."""
        kept = self._kept.get(inode_of(path.stat()))
        return None if kept is None else kept.content

    def __enter__(self) -> Self:
        self._door.bind(f"\0{self._name}")
        self._door.listen()
        self._start(self._welcome)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing = True
        self._door.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._door.close()
        for kept in self._kept.values():
            os.close(kept.held)
        self._kept.clear()

    # -- threads ---------------------------------------------------------------------------------

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _welcome(self) -> None:
        while True:
            try:
                watched, _ = self._door.accept()
            except OSError:  # shut down: the watch is over
                return
            # It may die at any moment; then there is nobody to watch.
            with watched, suppress(OSError):
                _, descriptors, _, _ = socket.recv_fds(watched, 1, 1)
                for heard in descriptors:
                    self._start(self._listen, heard)
                watched.send(b"!")

    def _listen(self, heard: int) -> None:
        poll = select.poll()
        poll.register(heard, select.POLLIN)
        try:
            while not self._closing:
                for _, events in poll.poll(LOOKS_EVERY):
                    if events & select.POLLHUP:
                        return
                    self._hear(heard)
        finally:
            os.close(heard)

    def _hear(self, heard: int) -> None:
        request = bytearray(HEARD.size)
        try:
            fcntl.ioctl(heard, RECEIVE, request)
        except OSError:  # whoever called is dead
            return
        number, thread, _, call, _, _, *arguments = HEARD.unpack(request)
        refusal = self.syncs_fail_with if NAMES[call] in SYNCS else 0
        try:
            with self._lock:
                if not refusal:
                    self._note(NAMES[call], thread, arguments)
        except (FileNotFoundError, ProcessLookupError):
            pass  # it died in its call, which so never came back
        except Exception as broken:  # noqa: BLE001 - told to whoever cuts the power
            self._broken = broken
        answer = bytearray(ANSWERED.pack(number, 0, -refusal, 0 if refusal else GO_ON))
        with suppress(OSError):  # dead meanwhile
            fcntl.ioctl(heard, ANSWER, answer)

    # -- what a call means -----------------------------------------------------------------------

    def _note(self, call: str, thread: int, arguments: Sequence[int]) -> None:
        match call:
            case _ if call in SYNCS:
                self._keep(Path(f"/proc/{thread}/fd/{arguments[0]}"))
            case "openat":
                self._written_through.add(path_at(thread, arguments[0], arguments[1]))
            case "rename":
                self._moved(path_at(thread, AT_CWD, arguments[0]))
            case _:
                self._moved(path_at(thread, arguments[0], arguments[1]))

    def _moved(self, path: Path) -> None:
        if path in self._written_through:
            self._written_through.discard(path)
            self._keep(path)

    def _keep(self, path: Path) -> None:
        """Copy a file as it is now; the directories' own fsyncs say nothing that is modelled."""
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            return
        known = self._kept.get(inode_of(found))
        if known is None:
            held = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            known = self._kept[inode_of(found)] = Kept(b"", held)
        known.content = os.pread(known.held, found.st_size, 0)


NAMES: Final = {
    number: name
    for _, _, calls in (CALLS.get(platform.machine(), (0, 0, {})),)
    for name, number in calls.items()
}


def inode_of(found: os.stat_result) -> Inode:
    """What a file is, under whichever name."""
    return found.st_dev, found.st_ino


def files_in(directory: Path) -> list[Path]:
    """Every regular file below a directory."""
    return [path for path in directory.rglob("*") if path.is_file() and not path.is_symlink()]


def path_at(thread: int, directory: int, address: int) -> Path:
    """The path that a call names by a directory and the address of its text."""
    with Path(f"/proc/{thread}/mem").open("rb", buffering=0) as memory:
        memory.seek(address)
        text = memory.read(LONGEST_PATH)
    path = Path(os.fsdecode(text.partition(b"\0")[0]))
    if path.is_absolute():
        return path
    at = ctypes.c_int(directory).value
    base = Path(f"/proc/{thread}/cwd" if at == AT_CWD else f"/proc/{thread}/fd/{at}")
    return base.readlink() / path


@cache
def why_not() -> str | None:
    """The reason why nothing can be watched on this machine; None when it can."""
    if sys.platform != "linux" or platform.machine() not in CALLS:
        return f"no filter is written for {platform.system()} on {platform.machine()}"
    with DiskWatch() as watch:
        probe = watch.over((sys.executable, "-I", "-S", "-c", PROBE))
        try:
            ran = subprocess.run(
                probe, capture_output=True, text=True, timeout=PROBED_WITHIN, check=False
            )
        except subprocess.TimeoutExpired:
            return "a watched process stood still"
        if ran.returncode != 0:
            return ran.stderr.strip() or f"a watched process ended with {ran.returncode}"
        try:
            with watch.at_rest():
                return None
        except RuntimeError as broken:
            return f"a watched process cannot be looked into: {broken.__cause__}"


# Syncs a file and opens one with O_SYNC, so that both ways to look into a process are tried.
PROBE: Final = """
import os, tempfile
with tempfile.TemporaryDirectory() as room:
    file = os.open(os.path.join(room, "f"), os.O_CREAT | os.O_WRONLY | os.O_SYNC)
    os.fsync(file)
"""
