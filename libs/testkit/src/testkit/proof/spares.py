"""Spare carriers: messages posted for a result that came to stand in another one."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from testkit.proof.endings import Ending
from testkit.proof.sightings import Witness
from testkit.telegram import Event, ShownMessage

# "Ready: image · job 7F3K2", in every language we ship: true alone, whatever happens next.
CARRIER: Final = re.compile(r"(?:Ready|Готово): .+ · (?:job|задание) (?P<label>\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spares:
    """How many carriers the parts of some jobs took, and what became of those not needed."""

    parts: int
    posted: int  # carriers ever posted, those that came to show a result among them
    removed: int  # of those not needed
    left: tuple[str, ...]  # what the others still say

    @property
    def spare(self) -> int:
        """Carriers that never showed anything."""
        return self.removed + len(self.left)

    @property
    def per_part(self) -> float:
        """Carriers posted for each part."""
        return self.posted / self.parts if self.parts else 0.0


def spares(telegram: Witness, endings: Iterable[Ending]) -> Spares:
    """Count the carriers of these jobs; a status line that became one is none."""
    jobs = {ending.job.label: ending for ending in endings if ending.job is not None}
    views = [ending.job for ending in jobs.values() if ending.job is not None]
    parts = sum(part.ordinal > 0 for job in views for part in job.parts)
    posted = removed = 0
    left: list[str] = []
    for history, is_gone in _messages(telegram):
        found = CARRIER.fullmatch(history[0].text)
        if found is None or found["label"] not in jobs:
            continue
        posted += 1
        if all(CARRIER.fullmatch(state.text) for state in history):
            removed += is_gone
            left += [] if is_gone else [history[-1].text]
    return Spares(parts=parts, posted=posted, removed=removed, left=tuple(left))


def _messages(telegram: Witness) -> Iterator[tuple[Sequence[ShownMessage], bool]]:
    """Return all that bots ever posted, each with its states, and whether it was deleted."""
    histories: dict[tuple[int, int, int], list[ShownMessage]] = {}
    deleted = set()
    for entry in telegram.log():
        if entry.shown is None or entry.shown.from_user:
            continue
        if entry.event in (Event.SENT, Event.EDITED):
            histories.setdefault(entry.shown.key, []).append(entry.shown)
        elif entry.event is Event.DELETED:
            deleted.add(entry.shown.key)
    for key, history in histories.items():
        yield history, key in deleted
