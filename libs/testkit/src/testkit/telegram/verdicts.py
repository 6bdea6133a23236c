"""What a test wants to know at the end: shown once, never overwritten, nothing left lying about."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from testkit.telegram.oracle import Oracle
from testkit.telegram.sight import MessageKey, ShownMessage, ShownPart


@dataclass(frozen=True, slots=True, kw_only=True)
class Overwrite:
    """A message that showed a result and later showed something else in its place."""

    before: ShownMessage
    after: ShownMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The names of the results, by what became of each."""

    once: tuple[str, ...]  # stood in one message, ever, and stands there now
    doubled: tuple[str, ...]  # stood in more than one message
    missing: tuple[str, ...]  # never stood anywhere
    vanished: tuple[str, ...]  # stood in one message, and does not stand there now

    @property
    def is_clean(self) -> bool:
        """Claim that every result was shown exactly once."""
        return not (self.doubled or self.missing or self.vanished)


class Verdicts:
    """Judges everything the oracle has seen."""

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle

    def tally(self, contents: Mapping[str, Collection[str]] | Iterable[str]) -> Tally:
        """Count results; each is a content, or a name with the ways it may be spelled.

        A picture may be found by its sha256, by its URL, or in the end as a link to it.
        """
        results = contents if isinstance(contents, Mapping) else {one: (one,) for one in contents}
        found: dict[str, list[str]] = {"once": [], "doubled": [], "missing": [], "vanished": []}
        for name, spellings in results.items():
            found[self._fate(spellings)].append(name)
        return Tally(**{fate: tuple(names) for fate, names in found.items()})

    def _fate(self, spellings: Collection[str]) -> str:
        ever = {key for one in spellings for key in self._oracle.ever_shown(one)}
        if len(ever) != 1:
            return "doubled" if ever else "missing"
        return "once" if any(self._oracle.shown(one) for one in spellings) else "vanished"

    def overwritten(self, contents: Iterable[str] = ()) -> list[Overwrite]:
        """Messages that once showed a medium, or one of the contents, and later did not.

        A link to the same medium, and another caption, leave the result where it is.
        """
        results = tuple(contents)
        found = (_overwritten(history, results) for history in self._oracle.histories())
        return [one for one in found if one is not None]

    def spares(
        self, contents: Iterable[str], *, chat_id: int | None = None
    ) -> Iterator[ShownMessage]:
        """Messages of bots that stand and show none of the contents: carriers, statuses, pointers."""
        results = {one.key for content in contents for _, one in self._oracle.shown(content)}
        for message in self._oracle.standing(chat_id=chat_id):
            if not message.from_user and message.key not in results:
                yield message

    def history(self, keys: Iterable[MessageKey]) -> Sequence[ShownMessage]:
        """Every state of the first of these messages that exists, oldest first."""
        return next((found for key in keys if (found := self._oracle.history(key))), ())


def _overwritten(history: Sequence[ShownMessage], results: tuple[str, ...]) -> Overwrite | None:
    if len(history) == 1:
        return None
    shown: dict[ShownPart | str, ShownMessage] = {}
    for state in history:
        for result, before in shown.items():
            if not _still_shows(state, result):
                return Overwrite(before=before, after=state)
        for part in state.parts:
            shown.setdefault(part, state)
        for content in results:
            if state.contains(content):
                shown.setdefault(content, state)
    return None


def _still_shows(state: ShownMessage, result: ShownPart | str) -> bool:
    if isinstance(result, str):
        return state.contains(result)
    if result.digest in state.media:
        return True
    return result.url is not None and (result.url in state.media or result.url in state.links)
