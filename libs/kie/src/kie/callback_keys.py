"""The keys that sign callback URLs, as settings write them: kid:base64[,kid:base64]."""

import base64
import binascii
import re
from collections.abc import Iterator

FORM = "kid:base64[,kid:base64]"
SHORTEST = 16  # bytes; below that a key can be guessed

_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)


def read(text: str) -> dict[str, bytes]:
    """Return the keys by key id, the first one first; raises `ValueError` with what is wrong."""
    keys: dict[str, bytes] = {}
    for kid, encoded in pairs(text, form=FORM):
        if not _KEY_ID.fullmatch(kid):
            raise ValueError("a key id is 1 to 32 letters, digits, dashes or underscores")
        if kid in keys:
            raise ValueError("a key id stands twice")
        keys[kid] = _decoded(encoded)
        if len(keys[kid]) < SHORTEST:
            raise ValueError(f"a callback key has fewer than {SHORTEST} bytes")
    return keys


def pairs(text: str, *, form: str) -> Iterator[tuple[str, str]]:
    """Yield what stands before and behind the first colon of each entry; `form` is for the error."""
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, colon, secret = entry.partition(":")
        if not colon:
            raise ValueError(f"must be {form}")
        yield name.strip(), secret.strip()


def _decoded(encoded: str) -> bytes:
    """Decode base64 in either alphabet, with or without padding."""
    plain = encoded.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error as problem:
        raise ValueError("a callback key is not base64") from problem
