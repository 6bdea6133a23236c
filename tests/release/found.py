"""What looking at one item came to: nothing, a warning, or what stands in the release's way."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An item holds when there is no trouble; a warning is something that could not be looked at."""

    troubles: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    said: str = ""

    @property
    def holds(self) -> bool:
        """Claim that nothing stands in the way."""
        return not self.troubles


def found(troubles: Iterable[str], said: str = "", *, warnings: Iterable[str] = ()) -> Found:
    """Return an item's result."""
    return Found(troubles=tuple(troubles), warnings=tuple(warnings), said=said)
