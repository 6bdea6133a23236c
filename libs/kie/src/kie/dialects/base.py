"""The form every dialect fills in: what its words mean and where its results stand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto

from contracts.values import FailureClass
from kie.body import Json
from kie.paths import at, has, leaves
from kie.values import MediaKind


class Word(StrEnum):
    """What a state word of KIE means."""

    RUNNING = auto()
    DONE = auto()
    FAILED = auto()
    # Generated, but KIE could not deliver its callback: done if every result is there.
    UNDELIVERED = auto()
    # Aleph's flag 0, and shared flags of an untold family: failed if there is an error code.
    RUNNING_OR_FAILED = auto()


@dataclass(frozen=True, slots=True)
class Links:
    """A place of links; the kind is read from each link's ending when the family makes any."""

    path: str
    kind: MediaKind | None = None


@dataclass(frozen=True, slots=True)
class Texts:
    """A place of plain text that is itself the result; with a name it becomes a document."""

    path: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    """A JSON value that is itself the result; delivered as its text, under its name if it has one."""

    path: str
    kind: MediaKind
    name: str | None = None


Place = Links | Texts | Whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A shape by which a message tells its family: what stands in it, and what does not."""

    path: str
    also: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()
    is_null: bool = False
    is_text: bool = False
    # Among several families of one dialect; the first one otherwise.
    family: str | None = None

    def fits(self, root: dict[str, Json]) -> bool:
        """Tell whether the message has this shape."""
        if self.is_text:
            return any(isinstance(leaf, str) for leaf in leaves(root, self.path))
        if not all(has(root, path) for path in (self.path, *self.also)):
            return False
        if any(has(root, path) for path in self.lacks):
            return False
        value = at(root, self.path)
        if self.is_null:
            return value is None
        return not self.words or (isinstance(value, str) and self._says(value))

    def _says(self, value: str) -> bool:
        said = value.strip().casefold()
        return any(word.casefold() == said for word in self.words)

    def __str__(self) -> str:
        """Say what was seen."""
        seen = f"{self.path} is null" if self.is_null else f"{self.path} is there"
        if self.words:
            seen = f"{self.path} is one of {', '.join(sorted(self.words))}"
        rest = [f"so is {path}" for path in self.also] + [f"no {path}" for path in self.lacks]
        return ", ".join([seen, *rest])


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """How one family speaks in one kind of message, callback or poll."""

    media: tuple[Place, ...] = ()
    # Looked at only when the places above hold nothing.
    media_instead: tuple[Place, ...] = ()
    # Links that are no results (covers, watermarked copies, inputs); named in the trace.
    ignored: tuple[str, ...] = ()
    word_at: str | None = None
    words: Mapping[str, Word] = field(default_factory=dict)
    # Without its word a message with code 200 is not yet a success.
    word_required: bool = False
    # An error code stands above whatever the word says.
    code_outranks_word: bool = False
    # Where the word stands on other pages; where both stand they must mean the same.
    second_word_at: str | None = None
    # Words may carry a remark after a dash: `SUCCESS-Success`.
    words_have_remarks: bool = False
    # Envelope codes that mean "not yet" on this endpoint.
    pending_codes: frozenset[int] = frozenset()
    # One of these stands in every record of this operation; without it the record is another's.
    own_marks: tuple[str, ...] = ()
    # Code 200 without a result is not yet a success.
    result_required: bool = False
    progress_at: str | None = None
    progress_whole: float = 1.0
    expired_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One family of KIE endpoints and the variants that speak alike."""

    families: tuple[str, ...]
    callback: Facts
    poll: Facts
    # None: the shape is shared with other families.
    callback_signs: tuple[Sign, ...] = ()
    poll_signs: tuple[Sign, ...] = ()
    # Failure classes where this family means something else by a code or state word.
    failures: Mapping[str, FailureClass] = field(default_factory=dict)


# Most dedicated endpoints: 2 = creating the task failed, 3 = generating failed.
FLAGS: Mapping[str, Word] = {
    "0": Word.RUNNING,
    "1": Word.DONE,
    "2": Word.FAILED,
    "3": Word.FAILED,
}
