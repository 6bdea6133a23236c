"""The message a callback becomes: its id, its bounds, its bytes."""

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from callback_gateway.domain import doubts
from callback_gateway.domain.arrival import KEPT_HEADERS, Callback
from contracts.reports import HmacClaim, Reading, ReportReceived, TokenClaim
from kie import tokens
from kie.body import storable

# NATS refuses a message above 1 MiB, headers included; the rest is room for trace headers.
WIRE_LIMIT: Final = 900 * 1024
HEADER_LENGTH: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Everything that was claimed about a callback, and what we read in it."""

    token: TokenClaim | None
    hmac: HmacClaim
    reading: Reading


@dataclass(frozen=True, slots=True)
class Report:
    """A report that fits the bus, with the bytes that travel."""

    message: ReportReceived
    wire: bytes


def report(callback: Callback, claims: Claims, *, now: datetime) -> Report:
    """Build the message; whatever came in, the result is valid and fits the wire."""
    message = ReportReceived(
        id=_identity(callback, claims),
        at=now,
        origin="callback",
        received_at=callback.received_at,
        body=b64encode(tokens.hidden(callback.body.kept)),
        body_digest=callback.body.digest,
        truncated=callback.body.truncated,
        headers=_kept_headers(callback),
        reading=claims.reading,
        token=claims.token,
        hmac=claims.hmac,
    )
    return _fitted(message)


def _identity(callback: Callback, claims: Claims) -> str:
    """Name the fact: the same request again is the same fact, a new claim about it is a new one."""
    parts = (
        callback.token or "",
        callback.body.digest,
        claims.token.verdict if claims.token else "",
        claims.hmac.verdict,
        claims.hmac.account or "",
        claims.reading.state.value,
    )
    # Lengths keep the parts apart, whatever they hold.
    named = "".join(f"{len(part)}:{part}" for part in parts)
    return f"callback-{sha256(named.encode(errors='surrogatepass')).hexdigest()}"


def _kept_headers(callback: Callback) -> dict[str, str]:
    return {
        name: storable(callback.headers[name][:HEADER_LENGTH])
        for name in KEPT_HEADERS
        if name in callback.headers
    }


def _fitted(message: ReportReceived) -> Report:
    wire = message.wire()
    if len(wire) <= WIRE_LIMIT:
        return Report(message, wire)
    # The body is the evidence and the reading can be made again, so the reading goes first.
    hint = doubts.doubted(
        message.reading.model_copy(update={"media": (), "error_message": None}),
        doubts.READING_DROPPED,
    )
    small = message.model_copy(update={"reading": hint})
    return Report(small, small.wire())
