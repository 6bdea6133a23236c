"""What KIE says about an account: its balance, and fresh addresses of what it keeps."""

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from kie import body, envelope
from kie.body import Json
from kie.values import State

CREDITS_PATH = "/api/v1/chat/credit"
DOWNLOAD_URL_PATH = "/api/v1/common/download-url"
DOWNLOAD_URL_LIFE = timedelta(minutes=20)

_ACCOUNT_CODES = frozenset({401, 402, 403, 433})
_FIRST_REDIRECT = 300
_OK = 200


@dataclass(frozen=True, slots=True)
class Credits:
    """The balance; documented whole, recorded with fractions."""

    balance: float


@dataclass(frozen=True, slots=True)
class DownloadUrl:
    """An address to fetch from within `DOWNLOAD_URL_LIFE`."""

    url: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """No answer to use: refused for good, for now, or because of the owner's account."""

    kind: Literal["refused", "later", "owner_account"]
    code: str | None
    message: str | None


def read_credits(*, http_status: int, raw: bytes) -> Credits | Unavailable:
    """Read the answer about the balance."""
    told = _told(http_status, raw)
    if isinstance(told, Unavailable):
        return told
    match told["data"]:
        case bool():
            balance = None
        case int() | float() as number:
            balance = float(number) if abs(number) < 10**15 else None
        case str() as text:
            balance = _number(text)
        case _:
            balance = None
    if balance is None or not math.isfinite(balance):
        return Unavailable("later", None, "the answer holds no balance")
    return Credits(balance)


def read_download_url(*, http_status: int, raw: bytes) -> DownloadUrl | Unavailable:
    """Read the answer about a download address."""
    told = _told(http_status, raw)
    if isinstance(told, Unavailable):
        return told
    match told["data"]:
        case str() as text if text.strip().lower().startswith(("https://", "http://")):
            return DownloadUrl(body.storable(text.strip()))
        case _:
            return Unavailable("later", None, "the answer holds no address")


def _told(http_status: int, raw: bytes) -> dict[str, Json] | Unavailable:
    """Return the envelope of a good answer, its `data` possibly null."""
    message = body.parse(raw)
    outer = envelope.of(message.root)
    said = envelope.error_message(message.root)
    text = said.text if said else None
    http_failed = not _OK <= http_status < _FIRST_REDIRECT
    if outer.code is None or (http_failed and outer.is_ok):
        return Unavailable(
            _kind(http_status, envelope.http_error(http_status)), str(http_status), text
        )
    if not outer.is_ok:
        state = envelope.poll_error(message.root, outer.code)
        return Unavailable(_kind(outer.code, state), outer.shown_code, text)
    return {"data": message.root.get("data")}


def _kind(code: int, state: State | None) -> Literal["refused", "later", "owner_account"]:
    if code in _ACCOUNT_CODES:
        return "owner_account"
    return "refused" if state in (State.FATAL_ERROR, State.NOT_FOUND) else "later"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
