"""What processes cost: CPU seconds and memory, whole trees of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psutil

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes; `pss` counts a page shared by three processes as a third for each."""

    pss: float
    rss: float


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time of these processes and all they ever started and waited for."""
    return sum(_cpu(process) for pid in pids for process in tree(pid))


def memory(pids: Iterable[int]) -> Memory:
    """Memory of these processes and their children."""
    both = [_memory(process) for pid in pids for process in tree(pid)]
    return Memory(
        pss=sum(one.pss for one in both) / MEBIBYTE, rss=sum(one.rss for one in both) / MEBIBYTE
    )


def tree(pid: int) -> list[psutil.Process]:
    """The process and its descendants; those that end meanwhile are left out."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


class Meter:
    """CPU seconds by group of processes, from one moment to another."""

    def __init__(self, groups: Mapping[str, Iterable[int]]) -> None:
        """Begin now."""
        self._groups = {name: tuple(pids) for name, pids in groups.items()}
        self._began = self._read()

    def spent(self) -> dict[str, float]:
        """CPU seconds since the beginning."""
        now = self._read()
        return {name: now[name] - self._began[name] for name in self._groups}

    def _read(self) -> dict[str, float]:
        return {name: cpu_seconds(pids) for name, pids in self._groups.items()}


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def _memory(process: psutil.Process) -> Memory:
    try:
        full = process.memory_full_info()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return Memory(pss=0.0, rss=0.0)
    # Only Linux tells the proportional share.
    return Memory(pss=float(getattr(full, "pss", full.rss)), rss=float(full.rss))
