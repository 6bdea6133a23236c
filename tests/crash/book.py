"""Orders to processes, a file for each: written as a whole, and gone when obeyed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class OrderBook:
    """The directory they lie in."""

    directory: Path

    def give(self, who: str, **order: str) -> None:
        """Give an order; it is obeyed once, at the next time the point is reached."""
        path = self.of(who)
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(order), "utf-8")
        fresh.rename(path)

    def take_back(self, who: str) -> None:
        """Take back an order that was not obeyed."""
        self.of(who).unlink(missing_ok=True)

    def is_obeyed(self, who: str) -> bool:
        """Tell whether somebody came to the point and obeyed."""
        return not self.of(who).exists()

    def of(self, who: str) -> Path:
        """Return where somebody looks for orders."""
        return self.directory / f"{who}.json"


def noted_in(notes: Path) -> Iterator[tuple[str, str]]:
    """Return the points that were written down, and whether before or after."""
    if notes.exists():
        for line in notes.read_text("utf-8").splitlines():
            point, _, when = line.partition(" ")
            yield point, when
