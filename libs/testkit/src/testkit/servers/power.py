"""The power goes: a server is killed, and its files hold what had been synced, nothing more."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from testkit.servers.disk_watch import DiskWatch, files_in
from testkit.servers.nats import NatsServer


class Unsynced(StrEnum):
    """What becomes of a file of which nothing was ever synced; file systems do either."""

    EMPTY = "empty"  # its name had been written, its content had not
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What a loss of power took."""

    cut_back: tuple[str, ...]  # files that hold less than, or other than, what was written
    never_synced: tuple[str, ...]


async def cut_power(
    server: NatsServer, watch: DiskWatch, *, unsynced: Unsynced = Unsynced.EMPTY
) -> Damage:
    """End a watched server at once, and put its store back to what the disk is sure to have.

    A real disk may have kept more. Moves and removals of files are taken to have happened.
    """
    await server.kill()
    return fall_back(server.data_directory / "store", watch, unsynced=unsynced)


def fall_back(directory: Path, watch: DiskWatch, *, unsynced: Unsynced) -> Damage:
    """Put every file of a directory back to its content at its last fsync."""
    cut_back, never_synced = [], []
    with watch.at_rest():
        for path in files_in(directory):
            durable = watch.durable(path)
            name = str(path.relative_to(directory))
            if durable is None:
                never_synced.append(name)
                path.write_bytes(b"") if unsynced is Unsynced.EMPTY else path.unlink()
            elif durable != path.read_bytes():
                cut_back.append(name)
                path.write_bytes(durable)
    return Damage(cut_back=tuple(sorted(cut_back)), never_synced=tuple(sorted(never_synced)))
