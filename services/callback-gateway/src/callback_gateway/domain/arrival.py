"""A callback as it came in, before anybody judges it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

CONTENT_TYPE: Final = "content-type"
CONTENT_ENCODING: Final = "content-encoding"
USER_AGENT: Final = "user-agent"
TIMESTAMP: Final = "x-webhook-timestamp"
SIGNATURE: Final = "x-webhook-signature"

# 256 KiB: KIE documents no bound; base64 of it and our reading still fit one message of the bus.
BODY_KEPT: Final = 256 * 1024

# What the HTTP room hands over; everything else a caller sends is nobody's business here.
HEARD_HEADERS: Final = (CONTENT_TYPE, CONTENT_ENCODING, USER_AGENT, TIMESTAMP, SIGNATURE)
# What is stored. Not the signature: with its timestamp it vouches for any body (kie.md section 3).
KEPT_HEADERS: Final = (CONTENT_TYPE, CONTENT_ENCODING, USER_AGENT, TIMESTAMP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The bytes of a request, as far as they are kept."""

    kept: bytes
    digest: str  # sha256 over everything that was read, in hex
    truncated: bool  # more came than is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One request to the callback address."""

    token: str | None  # the last part of the path, None at the plain address
    body: Body
    received_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case


def says_json(callback: Callback) -> bool:
    """Tell whether the headers allow the body to be plain JSON; a body without a type may be."""
    if callback.headers.get(CONTENT_ENCODING, "identity").strip().lower() not in ("", "identity"):
        return False
    stated = callback.headers.get(CONTENT_TYPE, "").partition(";")[0].strip().lower()
    return stated in ("", "application/json", "text/json") or (
        stated.startswith("application/") and stated.endswith("+json")
    )
