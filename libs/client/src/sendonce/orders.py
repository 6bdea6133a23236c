"""From a caller's arguments to a request of the contracts, or to a refusal before the wire."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, TypedDict, TypeVar

from pydantic import TypeAdapter, ValidationError

from contracts.api import JobRequest, Request
from contracts.markup import Button, Entity
from contracts.values import BotSlug
from sendonce.errors import InvalidRequest
from sendonce.incoming import Incoming, derive

R = TypeVar("R", bound=Request)

MONEY = ("price", "amount")
_SLUG: TypeAdapter[str] = TypeAdapter(BotSlug)
DERIVED = ("chat_id", "user_id", "key")


class JobOptions(TypedDict, total=False):
    """What `create`, `expect` and `deliver` share.

    They take a message or a callback query first; without one give `chat_id`, `user_id` and `key`.
    What is given outranks what the message says.
    """

    key: str
    """Idempotency key, unique per bot: the same key is the same job, for ever."""
    purpose: str
    """Tells apart two requests of one message that buy the same thing, such as ``"again"``; any words."""
    chat_id: int
    """Where the result is shown."""
    user_id: int
    """Who pays and whose wallet is held."""
    thread_id: int | None
    """Forum topic, when the chat has topics."""
    reply_to: int | None
    """Message the result replies to."""
    status: Literal["auto", "none"] | int
    """Post a status message (default), none, or the id of one the bot posted already."""
    notify: Literal["auto", "fresh", "in_place"]
    """Where the result appears: a new message that rings, or the status message edited."""
    language: str
    """Two letters; the language of the texts the user reads, the bot's own when absent."""
    price: int
    """Minor units: 1990 is 19.90 RUB, 50 is 50 XTR. 0 (default) needs no wallet."""
    currency: str
    """ISO 4217, or XTR for Telegram Stars; the bot's own when absent."""
    caption: str
    """Text under the result; beyond Telegram's 1,024 characters it becomes a text of its own."""
    caption_entities: Sequence[Entity]
    """Formatting of the caption; text is never parsed as HTML or Markdown."""
    deliver: bool
    """False: callbacks, polling and events only; the bot shows the result itself."""
    mode: Literal["edit", "send"]
    """``edit`` (default) repeats one edit until it stands; ``send`` sends at most once: albums, voice notes."""
    buttons: Sequence[Sequence[Button]]
    """Rows of inline buttons under the first message of the result."""
    protect: bool
    """True: the result cannot be forwarded or saved."""
    originals: bool
    """True: the untouched file of every picture and video is sent as well."""
    voice: bool
    """True: audio as voice notes; needs ``mode="send"``."""
    timeout: float
    """Seconds to keep asking, instead of the deadline given to SendOnce."""


def job_values(
    incoming: Incoming | None, options: JobOptions, *, asked: str, **more: object
) -> dict[str, object]:
    """Merge what was given over what the message says; `asked` is what it is asked for, in words."""
    given = {name: value for name, value in options.items() if value is not None}
    given.pop("timeout", None)
    purpose = given.pop("purpose", None)
    if incoming is None:
        if purpose is not None:
            raise InvalidRequest(
                "purpose= names one request of a message, and there is no message",
                "give the message, or put the purpose into key=; nothing was changed",
            )
        return {**given, **more}
    try:
        derived = derive(
            incoming, given=frozenset(given), asked=asked if purpose is None else str(purpose)
        )
    except AttributeError as missing:
        raise InvalidRequest(
            f"this is no Telegram message or callback query: it has no {missing.name}",
            "pass the object the handler got, or chat_id=, user_id= and key=; nothing was changed",
        ) from None
    return {**derived, **given, **more}


def order(kind: type[R], values: Mapping[str, object], *, not_after: float) -> R:
    """Return the request; `not_after` in seconds since the epoch.

    Raises:
        InvalidRequest: a value is missing, unknown, out of bounds, or money that is no whole number.
    """
    _refuse_unknown(kind, values)
    for name in MONEY:
        if name in values:
            _whole(name, values[name])
    try:
        return kind.model_validate({**values, "not_after": datetime.fromtimestamp(not_after, UTC)})
    except ValidationError as wrong:
        # Without its cause: pydantic's own text would carry prompts into logs.
        raise InvalidRequest(_told(kind, wrong)) from None


def slug(bot: str) -> str:
    """Return a bot's name that can stand in a subject."""
    try:
        return _SLUG.validate_python(bot, strict=True)
    except ValidationError:
        raise InvalidRequest(
            "bot= is no name of a bot",
            "it is a small letter, then up to 31 small letters, digits or hyphens, as `sendonce bots list` shows",
        ) from None


def servers(nats_url: str | Sequence[str]) -> tuple[str, ...]:
    """Return the addresses of one NATS cluster."""
    given = nats_url.split(",") if isinstance(nats_url, str) else nats_url
    addresses = tuple(url.strip() for url in given if url.strip())
    if not addresses:
        raise InvalidRequest("nats_url is empty", "give an address such as nats://localhost:4222")
    return addresses


def _whole(name: str, value: object) -> None:
    if isinstance(value, int) and not isinstance(value, bool):
        return
    raise InvalidRequest(
        f"{name} is a {type(value).__name__}, and money is an int of minor units",
        "1990 means 19.90 RUB, 50 means 50 XTR; nothing was changed",
    )


def _refuse_unknown(kind: type[Request], values: Iterable[str]) -> None:
    known = sorted(kind.model_fields)
    for name in values:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            advice = f"did you mean {near[0]}" if near else f"known are {', '.join(known)}"
            raise InvalidRequest(f"there is no argument {name}", f"{advice}; nothing was changed")


def _told(kind: type[Request], wrong: ValidationError) -> str:
    told: list[str] = []
    for error in wrong.errors(include_input=False, include_url=False, include_context=False):
        path = ".".join(map(str, error["loc"]))
        told.append(f"{path}: {error['msg']}" if path else error["msg"])
        if issubclass(kind, JobRequest) and error["type"] == "missing" and path in DERIVED:
            told[-1] += " (give chat_id, user_id and key, or the message)"
    return "; ".join(told)
