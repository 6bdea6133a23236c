"""Free loopback ports that stay free while their server is down."""

import fcntl
import os
import random
import socket
import tempfile
from collections import deque
from functools import cache
from pathlib import Path

LOOPBACK = "127.0.0.1"
# Below what systems hand to outgoing connections (Linux 32768+, macOS 49152+): a client that
# reconnects while its server restarts can never be given the server's own port as its source.
FIRST, LAST = 20_000, 32_000
TRIES = 200
KEPT = 500  # ports a process keeps from the others; a test run draws thousands, a test a dozen


class NoFreePort(OSError):
    """Every port tried was taken."""


class Claims:
    """Ports other processes of ours leave alone: byte locks in one file, dropped with their holder.

    Between the draw and the bind, and while its server is down, a port looks free to everybody.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self._kept: deque[int] = deque()

    def claim(self, port: int) -> bool:
        """Keep the port from the others; false when one of them has it, or we do."""
        if port in self._kept:
            return False
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
        except (BlockingIOError, PermissionError):
            return False
        self._kept.append(port)
        if len(self._kept) > KEPT:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, self._kept.popleft())
        return True


@cache
def claims() -> Claims:
    """This process' part in the file that all processes of one account share."""
    return Claims(Path(tempfile.gettempdir()) / f"sendonce-ports-{os.geteuid()}")


def free_port() -> int:
    """A port nobody listens on now, and no other process of ours will be given."""
    for _ in range(TRIES):
        port = random.SystemRandom().randint(FIRST, LAST)
        if claims().claim(port) and is_free(port):
            return port
    raise NoFreePort(f"no free port between {FIRST} and {LAST} in {TRIES} tries")


def is_free(port: int) -> bool:
    """True when the port can be bound on loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def port_of(url: str) -> int:
    """Return the port that an address names."""
    return int(url.rpartition(":")[2].partition("/")[0])
