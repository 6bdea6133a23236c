"""What a sandbox Telegram saw, told by its log alone: for whoever judges it from another process."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from testkit.telegram.media import Kind
from testkit.telegram.oracle import Event, LogEntry
from testkit.telegram.sight import MessageKey, ShownMessage, ShownPart

_GONE = frozenset({Event.DELETED, Event.USER_DELETED})


class Recollection:
    """Answers by medium or link what the server's own oracle would."""

    def __init__(self, entries: Iterable[LogEntry]) -> None:
        """`entries` are a whole log, or one from a moment before all that is asked about."""
        self._entries = tuple(entries)
        self._ever: defaultdict[str, set[MessageKey]] = defaultdict(set)
        self._standing: dict[MessageKey, ShownMessage] = {}
        for entry in self._entries:
            if entry.shown is not None:
                self._note(entry.event, entry.shown)

    def log(self) -> Sequence[LogEntry]:
        """Everything that happened, oldest first."""
        return self._entries

    def ever_shown(self, content: str) -> list[MessageKey]:
        """Every (owner, chat, message) the medium or link has ever stood in."""
        return sorted(self._ever.get(content, ()))

    def shown(self, content: str) -> list[tuple[int, ShownMessage]]:
        """Where it is visible now: (chat, message)."""
        known = [self._standing[key] for key in self.ever_shown(content) if key in self._standing]
        return [(one.chat_id, one) for one in known if one.contains(content)]

    def _note(self, event: Event, shown: ShownMessage) -> None:
        if event in _GONE:
            self._standing.pop(shown.key, None)
        elif event in (Event.SENT, Event.EDITED):
            self._standing[shown.key] = shown
            for content in (*shown.media, *shown.links):
                self._ever[content].add(shown.key)


def read_entry(told: dict[str, Any]) -> LogEntry:
    """Read one entry as `/sim/log` tells it."""
    return LogEntry(
        seq=told["seq"],
        at=told["at"],
        event=Event(told["event"]),
        bot_id=told["bot_id"],
        chat_id=told["chat_id"],
        owner=told["owner"],
        method=told["method"],
        shown=None if told["message"] is None else _read_message(told["message"]),
        note=told["note"],
    )


def _read_message(told: dict[str, Any]) -> ShownMessage:
    known = {
        **told,
        "kind": Kind(told["kind"]),
        "entities": tuple(told["entities"]),
        "blocks": tuple(told["blocks"]),
        "parts": tuple(ShownPart(**{**part, "kind": Kind(part["kind"])}) for part in told["parts"]),
    }
    return ShownMessage(**known)
