"""What a job takes from the Telegram message that asked for it; reads attributes, imports no framework."""

from typing import Protocol

from sendonce.errors import InvalidRequest

DEFAULT_LANGUAGE = "en"
TAG_LENGTH = 2  # ISO 639-1; longer primary tags ("fil") have no two-letter form


class Chat(Protocol):
    """Where a message stands."""

    @property
    def id(self) -> int:
        """Telegram's chat id."""


class Person(Protocol):
    """Who wrote a message."""

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


def derive(message: IncomingMessage, *, given: frozenset[str]) -> dict[str, object]:
    """Return chat, topic, reply, user, language and key; what is given already is not derived.

    The same message always derives the same key, so a double tap or a repeated update is one job.

    Raises:
        InvalidRequest: the message does not name a person, or not this request.
    """
    derived: dict[str, object] = {
        "chat_id": message.chat.id,
        "reply_to": message.message_id,
        "key": f"{message.chat.id}:{message.message_id}",
    }
    if message.is_topic_message:
        # Plain replies carry a thread id too, and sending into it is refused by Telegram.
        derived["thread_id"] = message.message_thread_id
    author = message.from_user
    if author is None or author.is_bot or message.sender_chat is not None:
        _refuse_guessing(author, given)
    else:
        derived["user_id"] = author.id
        derived["language"] = language(author.language_code)
    return derived


def language(tag: str | None) -> str:
    """Return the two-letter language of a client's tag, English when it has none."""
    primary = (tag or "").lower().partition("-")[0]
    if len(primary) == TAG_LENGTH and primary.isascii() and primary.isalpha():
        return primary
    return DEFAULT_LANGUAGE


def _refuse_guessing(author: Person | None, given: frozenset[str]) -> None:
    if "user_id" not in given:
        raise InvalidRequest(
            "the message names no person: a channel post, an anonymous admin, or a bot's own message",
            "pass user_id= of whoever pays and sees the result; nothing was changed",
        )
    # Every press of a button under one of the bot's messages would derive the same key.
    if author is not None and author.is_bot and "key" not in given:
        raise InvalidRequest(
            "the message is a bot's own, so it cannot name this request",
            "pass key= as well, for a button the callback query's id; nothing was changed",
        )
