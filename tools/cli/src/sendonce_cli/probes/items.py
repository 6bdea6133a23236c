"""What a probe is and what it found. Asks nothing by itself."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Final, Generic, TypeVar

PASSED, CRITICAL, WARNED = 0, 1, 2  # exit codes

Lab = TypeVar("Lab")


class Found(StrEnum):
    """What became of a probe."""

    OK = "ok"
    WARNING = "warning"  # could not be shown here, or is not as it should be and hurts nobody yet
    FAILED = "failed"


WORST_LAST: Final = (Found.OK, Found.WARNING, Found.FAILED)
CODES: Final = {Found.OK: PASSED, Found.WARNING: WARNED, Found.FAILED: CRITICAL}


class Unmet(Exception):
    """What was seen, where something else was expected."""


class Unshown(Exception):
    """Why nothing here can show it: no fault of the deployment, and no proof of it."""

    def __init__(self, why: str, *, todo: str) -> None:
        super().__init__(why)
        self.todo = todo


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe(Generic[Lab]):
    """One thing a deployment must do."""

    name: str
    expects: str
    todo: str  # what a person does when it does not
    look: Callable[[Lab], Awaitable[None]]  # raises `Unmet` or `Unshown`


@dataclass(slots=True, kw_only=True)
class Phase(Generic[Lab]):
    """Probes that belong together; a module fills its own with the decorator `probe`."""

    number: int
    name: str
    title: str
    todo: str  # of probes that say nothing of their own
    probes: list[Probe[Lab]] = field(default_factory=list)

    def probe(
        self, name: str, *, expects: str, todo: str = ""
    ) -> Callable[[Callable[[Lab], Awaitable[None]]], Callable[[Lab], Awaitable[None]]]:
        """Take the function below as a probe of this phase."""

        def take(look: Callable[[Lab], Awaitable[None]]) -> Callable[[Lab], Awaitable[None]]:
            self.probes.append(Probe(name=name, expects=expects, todo=todo or self.todo, look=look))
            return look

        return take


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What one probe found."""

    name: str
    found: Found
    expected: str
    seen: str
    todo: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseFound:
    """What the probes of one phase found."""

    number: int
    name: str
    title: str
    items: tuple[Item, ...]

    @property
    def found(self) -> Found:
        """The worst of its items."""
        return _worst(item.found for item in self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What all probes found, and what could not be tidied up after them."""

    phases: tuple[PhaseFound, ...]
    left: tuple[str, ...]
    seconds: float

    @property
    def found(self) -> Found:
        """The worst of everything."""
        worst = _worst(phase.found for phase in self.phases)
        return _worst((worst, Found.WARNING)) if self.left else worst

    @property
    def exit_code(self) -> int:
        """0 when all is well, 1 when something critical failed, 2 when there are only warnings."""
        return CODES[self.found]

    def count(self, found: Found) -> int:
        """Count the items of which this became."""
        return sum(item.found is found for phase in self.phases for item in phase.items)

    def as_json(self) -> dict[str, object]:
        """Return the object a program reads."""
        return {
            "verdict": self.found,
            "exit_code": self.exit_code,
            "passed": self.count(Found.OK),
            "warnings": self.count(Found.WARNING),
            "failed": self.count(Found.FAILED),
            "seconds": self.seconds,
            "left": list(self.left),
            "phases": [
                {
                    "number": phase.number,
                    "name": phase.name,
                    "title": phase.title,
                    "found": phase.found,
                    "items": [asdict(item) for item in phase.items],
                }
                for phase in self.phases
            ],
        }


def claim(holds: object, seen: str) -> None:
    """Go on when it holds; else say what was seen."""
    if not holds:
        raise Unmet(seen)


def _worst(found: Iterable[Found]) -> Found:
    return max(found, key=WORST_LAST.index, default=Found.OK)
