"""What one call to Telegram came to; every later decision rests on these eight values."""

from dataclasses import dataclass
from enum import StrEnum


class Call(StrEnum):
    """What was asked; repeating anything but a send changes nothing."""

    SEND = "send"
    EDIT = "edit"
    DELETE = "delete"


class Trouble(StrEnum):
    """Why Telegram certainly did not do it; telegram.md sections 2.3, 6.2 and 7.3."""

    GONE = "gone"  # the message to edit or delete does not exist
    UNEDITABLE = "uneditable"
    NO_TEXT = "no_text"  # the message is a medium already
    SUPERSEDED = "superseded"  # another edit of the same message overtook this one
    URL_UNREACHED = "url_unreached"  # Telegram could not fetch it; worth one more try
    URL_REFUSED = "url_refused"  # Telegram will not take this link, and remembers that for days
    FILE_ID_BAD = "file_id_bad"
    FILE_ID_TYPE = "file_id_type"  # the file_id is good, and of another kind of medium
    NOT_A_PHOTO = "not_a_photo"
    TOO_BIG = "too_big"
    EMPTY_FILE = "empty_file"
    TYPE_FORBIDDEN = "type_forbidden"  # this chat takes other kinds of messages
    ALBUM = "album"  # these media cannot stand in one album, or one of them did not get ready
    PAYLOAD = "payload"
    THREAD = "thread"  # the topic, or the message replied to, is not there
    BLOCKED = "blocked"
    CHAT_GONE = "chat_gone"
    NO_RIGHTS = "no_rights"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Standing:
    """A message as Telegram's answer named it."""

    message_id: int
    file_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """It stands as asked; the ids are known when Telegram's answer carried them."""

    message_id: int | None = None
    file_id: str | None = None
    album: tuple[Standing, ...] = ()  # the messages of an album, in the order asked for

    @property
    def standing(self) -> tuple[Standing, ...]:
        """Every message whose id is known."""
        if self.album or self.message_id is None:
            return self.album
        return (Standing(self.message_id, self.file_id),)


@dataclass(frozen=True, slots=True)
class Unsent:
    """The request certainly never left: asking again at once is safe."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """It may or may not have happened."""

    reason: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Certainly not done; Telegram named the seconds to wait."""

    reason: str
    after: float


@dataclass(frozen=True, slots=True)
class Moved:
    """Certainly not done: the group became a supergroup."""

    chat_id: int


@dataclass(frozen=True, slots=True)
class BotStopped:
    """Certainly not done, and nothing of this bot will be until its owner acts."""

    reason: str


@dataclass(frozen=True, slots=True)
class Vanished:
    """Sent, and deleted by the other side before its id could be told."""

    reason: str


@dataclass(frozen=True, slots=True)
class Denied:
    """Certainly not done, and this is why."""

    trouble: Trouble
    reason: str
    item: int | None = None  # which of an album it was about, counted from 1


Answer = Done | Unsent | Unclear | Wait | Moved | BotStopped | Vanished | Denied
