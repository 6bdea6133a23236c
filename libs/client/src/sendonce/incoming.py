"""What a job takes from the Telegram message or button that asked for it; reads attributes, imports no framework."""

import hashlib
from typing import Protocol, TypeAlias, runtime_checkable

from sendonce.errors import InvalidRequest

TAG_LENGTH = 2  # ISO 639-1; longer primary tags ("fil") have no two-letter form
DIGEST_LENGTH = 12  # hex digits: it tells apart what was asked of one message, nothing more


class Chat(Protocol):
    """Where a message stands."""

    @property
    def id(self) -> int:
        """Telegram's chat id."""


class Person(Protocol):
    """Who wrote a message or pressed a button."""

    @property
    def id(self) -> int:
        """Telegram's user id."""

    @property
    def is_bot(self) -> bool:
        """True for bots, the own one included."""

    @property
    def language_code(self) -> str | None:
        """IETF tag of the user's client, such as ``pt-br``."""


class IncomingMessage(Protocol):
    """A message as aiogram, python-telegram-bot and others model it."""

    @property
    def message_id(self) -> int:
        """Unique within the chat."""

    @property
    def chat(self) -> Chat:
        """Where it stands."""

    @property
    def from_user(self) -> Person | None:
        """Who wrote it; none for channel posts."""

    @property
    def sender_chat(self) -> Chat | None:
        """The chat it was written for: an anonymous admin's group, or a channel."""

    @property
    def is_topic_message(self) -> bool | None:
        """True when it stands in a forum topic."""

    @property
    def message_thread_id(self) -> int | None:
        """The topic, but also the thread of a plain reply."""


class Menu(Protocol):
    """The message a button hangs on; when it is too old Telegram tells no more of it than this."""

    @property
    def message_id(self) -> int:
        """Unique within the chat."""

    @property
    def chat(self) -> Chat:
        """Where it stands."""


@runtime_checkable
class IncomingTap(Protocol):
    """A pressed inline button: a callback query as aiogram and others model it."""

    @property
    def from_user(self) -> Person:
        """Who pressed it."""

    @property
    def message(self) -> Menu | None:
        """What it hangs on; none under a message sent in inline mode."""

    @property
    def data(self) -> str | None:
        """What the button says to the bot."""


Incoming: TypeAlias = IncomingMessage | IncomingTap


def derive(incoming: Incoming, *, given: frozenset[str], asked: str) -> dict[str, object]:
    """Return chat, topic, reply, user, language and key; what is given already is not derived.

    The same message or button always derives the same key for the same thing asked, so a repeated
    update or a double tap is one job. Something else asked of the same message is another job.

    Args:
        incoming: what the user did.
        given: names the caller gave values for.
        asked: what is asked of it, in words that are the same every time.

    Raises:
        InvalidRequest: it does not name a person, or not this request.
    """
    if isinstance(incoming, IncomingTap):
        return _of_tap(incoming, given=given, asked=asked)
    derived: dict[str, object] = {
        "chat_id": incoming.chat.id,
        "reply_to": incoming.message_id,
        "key": f"{incoming.chat.id}:{incoming.message_id}:{_digest(asked)}",
        **_topic(incoming),
    }
    author = incoming.from_user
    if author is None or author.is_bot or incoming.sender_chat is not None:
        _refuse_guessing(author, given)
    else:
        derived["user_id"] = author.id
        derived["language"] = language(author.language_code)
    return derived


def _of_tap(tap: IncomingTap, *, given: frozenset[str], asked: str) -> dict[str, object]:
    person, menu = tap.from_user, tap.message
    derived: dict[str, object] = {
        "user_id": person.id,
        "language": language(person.language_code),
    }
    if menu is None:
        if not {"chat_id", "key"} <= given:
            raise InvalidRequest(
                "the button hangs on a message sent in inline mode, so it names no chat",
                "pass chat_id= and key= as well; nothing was changed",
            )
        return derived
    # Every tap has an id of its own, so a double tap is known by what was pressed, where and by whom.
    pressed = _digest(tap.data or "", asked)
    derived["key"] = f"{menu.chat.id}:{menu.message_id}:{person.id}:{pressed}"
    derived["chat_id"] = menu.chat.id
    # The result answers the user's words when the menu did.
    answered = getattr(menu, "reply_to_message", None)
    if answered is not None:
        derived["reply_to"] = answered.message_id
    return derived | _topic(menu)


def _topic(message: Menu) -> dict[str, object]:
    # Plain replies carry a thread id too, and sending into it is refused by Telegram.
    if getattr(message, "is_topic_message", None):
        return {"thread_id": getattr(message, "message_thread_id", None)}
    return {}


def _digest(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:DIGEST_LENGTH]


def language(tag: str | None) -> str | None:
    """Return the two-letter language of a client's tag; the bot's own is meant when it has none."""
    primary = (tag or "").lower().partition("-")[0]
    if len(primary) == TAG_LENGTH and primary.isascii() and primary.isalpha():
        return primary
    return None


def _refuse_guessing(author: Person | None, given: frozenset[str]) -> None:
    if "user_id" not in given:
        raise InvalidRequest(
            "the message names no person: a channel post, an anonymous admin, or a bot's own message",
            "pass user_id= of whoever pays and sees the result, or the callback query instead of its"
            " message; nothing was changed",
        )
    # Every press of a button under one of the bot's messages would derive the same key.
    if author is not None and author.is_bot and "key" not in given:
        raise InvalidRequest(
            "the message is a bot's own, so it cannot name this request",
            "for a button pass the callback query instead of its message, else key=; nothing was changed",
        )
