"""One run as a scenario sees it: where it stands, how long it may take, what names it gives."""

import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from bench.figures import Figure
from bench.ground import Ground

T = TypeVar("T")


@dataclass(kw_only=True)
class Run:
    """Shared by all scenarios of a run."""

    ground: Ground
    quick: bool
    say: Callable[[str], None]
    _rounds: "itertools.count[int]" = field(default_factory=itertools.count)
    _started: str = field(default_factory=lambda: f"{time.time_ns():x}")

    def either(self, *, quick: T, full: T) -> T:
        """Choose by the length of the run."""
        return quick if self.quick else full

    def marks(self, count: int) -> list[str]:
        """So many names of results, never given before."""
        of_round = f"{self._started}r{next(self._rounds)}n"
        return [f"{of_round}{number:06d}" for number in range(count)]

    def workplace(self, scenario: str) -> Path:
        """A directory for a scenario's logs and plans."""
        path = self.ground.directory / scenario
        path.mkdir(parents=True, exist_ok=True)
        return path


Scenario = Callable[[Run], Awaitable[list[Figure]]]
