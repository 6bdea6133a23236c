"""The form every dialect fills in: what its words mean and where its results stand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto

from kie.body import Json
from kie.failure import FailureClass
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
    """A place of plain text that is itself the result."""

    path: str


@dataclass(frozen=True, slots=True)
class Whole:
    """A JSON value that is itself the result; delivered as its text."""

    path: str
    kind: MediaKind


Place = Links | Texts | Whole

Recogniser = Callable[[dict[str, Json]], str | None]


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
    progress_at: str | None = None
    progress_whole: float = 1.0
    expired_at: str | None = None


def nobody(_root: dict[str, Json]) -> str | None:
    """Recognise no message: the shape is shared with other families."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One family of KIE endpoints and the variants that speak alike."""

    families: tuple[str, ...]
    callback: Facts
    poll: Facts
    recognise_callback: Recogniser = nobody
    recognise_poll: Recogniser = nobody
    # Failure classes where this family means something else by a code or state word.
    failures: Mapping[str, FailureClass] = field(default_factory=dict)


# Most dedicated endpoints: 2 = creating the task failed, 3 = generating failed.
FLAGS: Mapping[str, Word] = {
    "0": Word.RUNNING,
    "1": Word.DONE,
    "2": Word.FAILED,
    "3": Word.FAILED,
}
