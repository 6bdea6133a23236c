"""The one decision: is a callback stored, and what does it claim; or why is it refused.

A valid token is never refused: what cannot be read becomes a reason to look at its task.
Without a token the body has to speak for itself. What nobody vouches for is stored as far as the
caller's token bucket goes (`bucket.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from callback_gateway.domain import answers, doubts
from callback_gateway.domain.answers import Problem
from callback_gateway.domain.arrival import SIGNATURE, TIMESTAMP, Callback, says_json
from callback_gateway.domain.reports import Claims, Report, report
from contracts.reports import HmacClaim, Reading, ReportReceived, TokenClaim
from kie import reading as kie_reading
from kie import reported, signatures, tokens
from kie.values import Anomaly

# KIE documents no window (kie.md section 3); beyond this job-store asks KIE itself.
FRESH: Final = timedelta(seconds=300)

_UNREADABLE: Final = frozenset(
    {Anomaly.NOT_UTF8, Anomaly.NOT_JSON, Anomaly.NOT_AN_OBJECT, Anomaly.TOO_DEEP}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The secrets a callback is judged by; several per KIE account while one is being replaced."""

    tokens: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    hmac: Mapping[str, Sequence[bytes]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Store:
    report: Report


@dataclass(frozen=True, slots=True)
class Refuse:
    problem: Problem


def judge(callback: Callback, *, keys: Keys, now: datetime) -> Store | Refuse:
    """Decide about one callback; never raises, whatever came in."""
    token: TokenClaim | None = None
    if callback.token is not None:
        token = _token_claim(callback.token, keys.tokens)
        if token is None:
            return Refuse(answers.FORGED_TOKEN)
    elif (unfit := _unfit(callback)) is not None:
        return Refuse(unfit)
    reading = _read(callback)
    hmac = _hmac_claim(callback, reading.task_id, keys.hmac)
    if token is None and (silent := _says_nothing(reading, hmac)) is not None:
        return Refuse(silent)
    return Store(report(callback, Claims(token=token, hmac=hmac, reading=reading), now=now))


def is_vouched(message: ReportReceived) -> bool:
    """Tell whether a key of ours or of KIE's made a claim of it; then it waits behind no stranger."""
    ours = message.token is not None and message.token.verdict == "valid"
    return ours or message.hmac.verdict in ("match", "stale")


def standing(message: ReportReceived) -> str:
    """Name the strongest claim that vouches for a report, for logs."""
    if message.token is not None:
        return "token" if message.token.verdict == "valid" else "unknown_key"
    return "hmac" if message.hmac.verdict in ("match", "stale") else "none"


def _token_claim(text: str, keys: Mapping[str, bytes]) -> TokenClaim | None:
    verdict: Literal["valid", "unknown_key"]
    match tokens.read(text, keys):
        # Attempts count from 1: a token that says 0 is none of ours.
        case tokens.Verified(token) if token.attempt > 0:
            verdict = "valid"
        case tokens.UnknownKey(token) if token.attempt > 0:
            verdict = "unknown_key"
        case _:
            return None
    return TokenClaim(
        verdict=verdict, key_id=token.key_id, job_id=token.job_id, attempt=token.attempt
    )


def _unfit(callback: Callback) -> Problem | None:
    """Say what keeps a callback without a token from being read at all."""
    if callback.body.truncated:
        return answers.TOO_LARGE
    return None if says_json(callback) else answers.NOT_DECLARED_JSON


def _says_nothing(reading: Reading, hmac: HmacClaim) -> Problem | None:
    if _UNREADABLE & set(reading.anomalies):
        return answers.NOT_JSON
    if reading.task_id is None:
        return answers.NO_TASK_ID
    return answers.WRONG_SIGNATURE if hmac.verdict == "mismatch" else None


def _read(callback: Callback) -> Reading:
    if callback.body.truncated:
        return doubts.unread(doubts.BODY_TOO_LARGE)
    reading = reported.reading_of(kie_reading.read_callback(callback.body.kept))
    if not says_json(callback):
        return doubts.doubted(reading, doubts.NOT_DECLARED_JSON)
    if reading.task_id is None and reading.state not in doubts.HINTS:
        # A body that names no task, or two, must not end one.
        return doubts.doubted(reading, doubts.TASK_UNCLEAR)
    return reading


def _hmac_claim(
    callback: Callback, task_id: str | None, keys: Mapping[str, Sequence[bytes]]
) -> HmacClaim:
    signature = callback.headers.get(SIGNATURE)
    # A signature that cannot be checked, for want of a key or of a task id, says nothing.
    if not keys or signature is None or task_id is None:
        return HmacClaim(verdict="absent")
    stamp = callback.headers.get(TIMESTAMP)
    account = signatures.verify(
        keys=keys, task_id=task_id, timestamp_header=stamp, signature_header=signature
    )
    if account is None:
        return HmacClaim(verdict="mismatch")
    signed_at = signatures.timestamp_of(stamp)
    fresh = signed_at is not None and abs(callback.received_at - signed_at) <= FRESH
    return HmacClaim(verdict="match" if fresh else "stale", account=account)
