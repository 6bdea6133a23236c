"""KIE's webhook signature. It covers the task id and the timestamp, never the body."""

import base64
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

TIMESTAMP_HEADER = "X-Webhook-Timestamp"
SIGNATURE_HEADER = "X-Webhook-Signature"

_SECONDS = re.compile(r"[0-9]{1,10}", re.ASCII)
# base64 of 32 bytes takes 44; anything much longer is not a signature.
_LONGEST_HEADER = 128


def verify(
    *,
    keys: Mapping[str, Sequence[bytes]],
    task_id: str | None,
    timestamp_header: str | None,
    signature_header: str | None,
) -> str | None:
    """Return the account whose key made the signature, None when no key did.

    Freshness is not judged: KIE documents no window and may repeat an old timestamp.
    """
    if not task_id or not timestamp_header or not signature_header:
        return None
    if max(len(timestamp_header), len(signature_header)) > _LONGEST_HEADER:
        return None
    given = signature_header.strip().encode("utf-8", "replace")
    matched = None
    # Every key is tried, so that the time taken does not tell which one matched.
    for account, active in keys.items():
        for key in active:
            wanted = _signature(key, task_id, timestamp_header.strip())
            if key and hmac.compare_digest(wanted, given):
                matched = matched or account
    return matched


def sign(*, key: bytes, task_id: str, timestamp: int) -> str:
    """Make the signature KIE would send; for doubles of KIE."""
    return _signature(key, task_id, str(timestamp)).decode("ascii")


def timestamp_of(header: str | None) -> datetime | None:
    """Read the timestamp header, Unix seconds; None when it is not one."""
    if header is None or not _SECONDS.fullmatch(header.strip()):
        return None
    return datetime.fromtimestamp(int(header.strip()), tz=UTC)


def _signature(key: bytes, task_id: str, timestamp: str) -> bytes:
    signed = f"{task_id}.{timestamp}".encode("utf-8", "replace")
    return base64.b64encode(hmac.digest(key, signed, "sha256"))
