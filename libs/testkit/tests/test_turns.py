"""Who wants the room alone gets it, and nobody is kept from it by a dead process."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from testkit.processes import holds
from testkit.turns import Turns

SOON = 10.0
HOLDER = """
import sys
from pathlib import Path
from testkit.turns import Turns

with Turns(Path(sys.argv[1])).alone():
    print("alone", flush=True)
    sys.stdin.read()
"""


def is_taken(path: Path, kind: int) -> bool:
    """Somebody holds the lock in a way that leaves no room for this kind."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


@contextmanager
def another(turn: AbstractContextManager[None], name: str, order: list[str]) -> Iterator[None]:
    """A thread that takes the turn and says so; awaited at the end."""

    def take() -> None:
        with turn:
            order.append(name)

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    yield
    thread.join(SOON)
    assert not thread.is_alive()


def test_many_are_together(tmp_path: Path) -> None:
    order: list[str] = []

    with Turns(tmp_path).together(), another(Turns(tmp_path).together(), "second", order):
        pass

    assert order == ["second"]


async def test_alone_waits_for_the_others_and_nobody_overtakes_it(tmp_path: Path) -> None:
    order: list[str] = []
    first = Turns(tmp_path).together()
    first.__enter__()

    with another(Turns(tmp_path).alone(), "alone", order):
        assert await holds(lambda: is_taken(tmp_path / "door", fcntl.LOCK_EX), within=SOON)
        with another(Turns(tmp_path).together(), "late", order):
            assert not await holds(lambda: bool(order), within=0.2)
            first.__exit__(None, None, None)

    assert order == ["alone", "late"]


async def test_while_one_is_alone_nobody_else_is_in_the_room(tmp_path: Path) -> None:
    with Turns(tmp_path).alone():
        assert is_taken(tmp_path / "room", fcntl.LOCK_SH)

    assert not is_taken(tmp_path / "room", fcntl.LOCK_EX)


async def test_a_killed_process_leaves_the_room(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert is_taken(tmp_path / "room", fcntl.LOCK_SH)

        holder.send_signal(signal.SIGKILL)
        holder.wait()

    with Turns(tmp_path).alone():
        pass
