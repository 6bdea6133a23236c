"""After a loss of power a file holds what was synced, and the watcher hears of everything that was."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from testkit.servers.disk_watch import DiskWatch, why_not
from testkit.servers.power import Damage, Unsynced, fall_back

pytestmark = pytest.mark.skipif(bool(reason := why_not()), reason=f"no disk watch: {reason}")


def ran(program: str, *, room: Path, watch: DiskWatch) -> None:
    """Run Python that works in a room, watched."""
    command = watch.over((sys.executable, "-I", "-S", "-c", f"import os, threading\n{program}"))
    subprocess.run(command, cwd=room, check=True, timeout=20)


def left(room: Path, watch: DiskWatch, unsynced: Unsynced = Unsynced.EMPTY) -> dict[str, bytes]:
    """What stands in a room after the power went."""
    fall_back(room, watch, unsynced=unsynced)
    return {path.name: path.read_bytes() for path in sorted(room.iterdir())}


WRITES_TWICE = """
file = os.open("f", os.O_CREAT | os.O_WRONLY)
os.write(file, b"synced,")
os.{sync}(file)
os.write(file, b"not synced")
"""


@pytest.mark.parametrize("sync", ["fsync", "fdatasync"])
def test_a_file_falls_back_to_its_last_sync(tmp_path: Path, sync: str) -> None:
    with DiskWatch() as watch:
        ran(WRITES_TWICE.format(sync=sync), room=tmp_path, watch=watch)
        written = (tmp_path / "f").read_bytes()

        damage = fall_back(tmp_path, watch, unsynced=Unsynced.EMPTY)

    assert written == b"synced,not synced"
    assert (tmp_path / "f").read_bytes() == b"synced,"
    assert damage == Damage(cut_back=("f",), never_synced=())


@pytest.mark.parametrize("unsynced, stands", [("empty", {"f": b""}), ("gone", {})])
def test_what_was_never_synced_is_empty_or_gone(
    tmp_path: Path, unsynced: str, stands: dict[str, bytes]
) -> None:
    with DiskWatch() as watch:
        ran('open("f", "w").write("words")', room=tmp_path, watch=watch)

        assert left(tmp_path, watch, Unsynced(unsynced)) == stands


@pytest.mark.parametrize("move", ['os.rename("t", "f")', ""])
def test_what_is_opened_to_be_written_through_is_durable_and_stays_so_when_moved(
    tmp_path: Path, move: str
) -> None:
    write = 'os.write(os.open("t", os.O_CREAT | os.O_WRONLY | os.O_SYNC), b"through")'
    with DiskWatch() as watch:
        ran(f"{write}\n{move}", room=tmp_path, watch=watch)

        assert left(tmp_path, watch) == {"f" if move else "t": b"through"}


def test_a_file_that_replaces_a_synced_one_brings_nothing_of_it(tmp_path: Path) -> None:
    with DiskWatch() as watch:
        ran(WRITES_TWICE.format(sync="fsync"), room=tmp_path, watch=watch)
        ran('open("t", "w").write("new")\nos.rename("t", "f")', room=tmp_path, watch=watch)

        assert left(tmp_path, watch) == {"f": b""}


def test_syncs_of_threads_and_of_their_children_are_heard(tmp_path: Path) -> None:
    program = """
def write(name):
    file = os.open(name, os.O_CREAT | os.O_WRONLY)
    os.write(file, name.encode())
    os.fsync(file)
threads = [threading.Thread(target=write, args=(f"t{n}",)) for n in range(8)]
[each.start() for each in threads]
[each.join() for each in threads]
if os.fork() == 0:
    write("child")
else:
    os.wait()
"""
    with DiskWatch() as watch:
        ran(program, room=tmp_path, watch=watch)

        stands = left(tmp_path, watch)

    assert stands == {name: name.encode() for name in ["child", *(f"t{n}" for n in range(8))]}


def test_what_stood_there_before_is_durable(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    with DiskWatch() as watch:
        watch.remember(tmp_path)
        ran('open("old", "a").write(" and new")', room=tmp_path, watch=watch)

        assert left(tmp_path, watch) == {"old": b"old"}


def test_a_sync_can_be_made_to_fail_and_keeps_nothing(tmp_path: Path) -> None:
    with DiskWatch() as watch:
        watch.syncs_fail_with = errno.EIO

        with pytest.raises(subprocess.CalledProcessError):
            ran(WRITES_TWICE.format(sync="fsync"), room=tmp_path, watch=watch)

        assert left(tmp_path, watch) == {"f": b""}


def test_a_file_that_cannot_be_looked_into_is_no_silence(tmp_path: Path) -> None:
    with DiskWatch() as watch:
        watch._broken = PermissionError("not yours")

        with pytest.raises(RuntimeError, match="not watched to the end"):
            fall_back(tmp_path, watch, unsynced=Unsynced.EMPTY)
