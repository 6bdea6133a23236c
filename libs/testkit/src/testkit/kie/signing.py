"""KIE's callback signature: it vouches for task id and time, never for the body."""

import base64
import hashlib
import hmac

TIMESTAMP_HEADER = "X-Webhook-Timestamp"
SIGNATURE_HEADER = "X-Webhook-Signature"


def signature(*, key: str, task_id: str, timestamp: str) -> str:
    """base64(HMAC-SHA256(key, task_id + "." + timestamp))."""
    text = f"{task_id}.{timestamp}".encode()
    return base64.b64encode(hmac.new(key.encode(), text, hashlib.sha256).digest()).decode()


def signed_headers(*, key: str, task_id: str, timestamp: int) -> dict[str, str]:
    """The two headers of a signed callback."""
    return {
        TIMESTAMP_HEADER: str(timestamp),
        SIGNATURE_HEADER: signature(key=key, task_id=task_id, timestamp=str(timestamp)),
    }
