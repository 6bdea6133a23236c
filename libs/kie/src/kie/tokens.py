"""The signed token at the end of a callback URL: which job and which attempt KIE is answering.

Form: `<key id>.<48 characters>`, all safe in a URL path. The 36 bytes behind the dot are the job
id, the attempt as four bytes and 16 bytes of HMAC-SHA256. The key id is in clear so that keys
rotate.
"""

import base64
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

LONGEST_TOKEN = 81

_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
_TOKEN = re.compile(r"([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]{48})", re.ASCII)
# Where KIE repeats our URL in a body: plain, in JSON within JSON, or quoted for a URL.
_REPEATED = re.compile(
    rb"(callbacks(?:\\*/|%2F)kie(?:\\*/|%2F))[A-Za-z0-9_-]{1,32}\.[A-Za-z0-9_-]{48}", re.IGNORECASE
)
_HIDDEN = rb"\1hidden"
_ATTEMPT_BYTES = 4
_JOB_BYTES = 16
_MAC_BYTES = 16
# Separates these signatures from any other use of the same key.
_PURPOSE = b"sendonce callback token 1"


@dataclass(frozen=True, slots=True)
class CallbackToken:
    """What a callback URL says; worth nothing until verified."""

    key_id: str
    job_id: UUID
    attempt: int

    def __post_init__(self) -> None:
        if not _KEY_ID.fullmatch(self.key_id):
            raise ValueError("a key id is 1 to 32 letters, digits, dashes or underscores")
        if not 0 <= self.attempt < 1 << (8 * _ATTEMPT_BYTES):
            raise ValueError("an attempt is a number of at most four bytes")


@dataclass(frozen=True, slots=True)
class Verified:
    """Made with our key."""

    token: CallbackToken


@dataclass(frozen=True, slots=True)
class UnknownKey:
    """Well formed, but its key is not among ours: stored as untrusted, not refused."""

    token: CallbackToken


@dataclass(frozen=True, slots=True)
class Forged:
    """Names a key of ours, but was not made with it."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """Not a token at all."""


def mint(token: CallbackToken, key: bytes) -> str:
    """Write and sign a token."""
    if not key:
        raise ValueError("an empty key signs nothing")
    claim = _claim(token)
    encoded = base64.urlsafe_b64encode(claim + _mac(key, token.key_id, claim))
    return f"{token.key_id}.{encoded.decode('ascii')}"


def read(text: str, keys: Mapping[str, bytes]) -> Verified | UnknownKey | Forged | Malformed:
    """Read a token and verify it with the key it names; never raises."""
    form = _TOKEN.fullmatch(text) if len(text) <= LONGEST_TOKEN else None
    if form is None:
        return Malformed()
    packed = base64.urlsafe_b64decode(form[2])
    claim, mac = packed[:-_MAC_BYTES], packed[-_MAC_BYTES:]
    token = CallbackToken(
        key_id=form[1],
        job_id=UUID(bytes=claim[:_JOB_BYTES]),
        attempt=int.from_bytes(claim[_JOB_BYTES:], "big"),
    )
    key = keys.get(token.key_id)
    if not key:
        return UnknownKey(token)
    if hmac.compare_digest(mac, _mac(key, token.key_id, claim)):
        return Verified(token)
    return Forged()


def hidden(body: bytes) -> bytes:
    """Return a body of KIE's without the tokens of callback URLs: whoever reads one could call back with it."""
    return _REPEATED.sub(_HIDDEN, body)


def _claim(token: CallbackToken) -> bytes:
    return token.job_id.bytes + token.attempt.to_bytes(_ATTEMPT_BYTES, "big")


def _mac(key: bytes, key_id: str, claim: bytes) -> bytes:
    signed = b"\0".join((_PURPOSE, key_id.encode("ascii"), claim))
    return hmac.digest(key, signed, "sha256")[:_MAC_BYTES]
