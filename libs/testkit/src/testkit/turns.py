"""Turns at one machine: many processes together, or one alone; locks the system itself drops."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Turns:
    """Two locks: whoever wants the room alone stands in the door, so nobody overtakes them."""

    def __init__(self, directory: Path) -> None:
        self._door = directory / "door"
        self._room = directory / "room"

    @contextmanager
    def together(self) -> Iterator[None]:
        """In the room with others, as soon as nobody is alone in it or waits to be."""
        with held(self._door, fcntl.LOCK_EX):
            room = taken(self._room, fcntl.LOCK_SH)
        try:
            yield
        finally:
            os.close(room)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """In the room as the only one, once everybody who is in it has left."""
        with held(self._door, fcntl.LOCK_EX), held(self._room, fcntl.LOCK_EX):
            yield


@contextmanager
def held(path: Path, kind: int) -> Iterator[None]:
    """A lock, for as long as the block lasts."""
    lock = taken(path, kind)
    try:
        yield
    finally:
        os.close(lock)


def taken(path: Path, kind: int) -> int:
    """Wait for a lock; closing what is returned, or dying, gives it back."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, kind)
    except BaseException:
        os.close(lock)
        raise
    return lock
