"""Callbacks and keys that are valid by default, and KIE's own samples."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TypedDict
from uuid import UUID

from callback_gateway.domain.arrival import BODY_KEPT, Body, Callback
from callback_gateway.domain.judgement import Keys
from kie import signatures, tokens

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
JOB = UUID("0193a0b0-0000-7000-8000-000000000001")
TOKEN_KEY = b"k" * 32
HMAC_KEY = b"test-webhook-hmac-key"
KEYS = Keys(tokens={"k1": TOKEN_KEY}, hmac={"studio": (b"the one before", HMAC_KEY)})
NO_KEYS = Keys()

SUCCESS = (
    b'{"code":200,"msg":"Playground task completed successfully.","data":{"taskId":"task-1",'
    b'"model":"wan/3-0-video-prime","state":"success","param":"{}",'
    b'"resultJson":"{\\"resultUrls\\":[\\"https://files.example/a.mp4\\"]}"}}'
)


class Sample(TypedDict, total=False):
    """One line of callbacks.jsonl."""

    family: str
    case: str
    expect: dict[str, object]
    headers: dict[str, str]
    body: object
    hmac_key: str


@cache
def samples() -> dict[str, Sample]:
    lines = (Path(__file__).parent / "callbacks.jsonl").read_text("utf-8").splitlines()
    read: list[Sample] = [json.loads(line) for line in lines]
    return {f"{sample['family']}/{sample['case']}": sample for sample in read}


def token(*, key_id: str = "k1", key: bytes = TOKEN_KEY, attempt: int = 1) -> str:
    return tokens.mint(tokens.CallbackToken(key_id=key_id, job_id=JOB, attempt=attempt), key)


def signed(task_id: str, *, at: datetime, key: bytes = HMAC_KEY) -> dict[str, str]:
    stamp = int(at.timestamp())
    return {
        "x-webhook-timestamp": str(stamp),
        "x-webhook-signature": signatures.sign(key=key, task_id=task_id, timestamp=stamp),
    }


def body(raw: bytes) -> Body:
    return Body(
        kept=raw[:BODY_KEPT],
        digest=hashlib.sha256(raw).hexdigest(),
        truncated=len(raw) > BODY_KEPT,
    )


def callback(
    raw: bytes = SUCCESS, *, token: str | None = None, headers: dict[str, str] | None = None
) -> Callback:
    return Callback(
        token=token,
        body=body(raw),
        received_at=NOW,
        headers={"content-type": "application/json"} | (headers or {}),
    )


def setting(key: bytes = TOKEN_KEY) -> str:
    """The value of SENDONCE_CALLBACK_KEYS that holds this one key."""
    return f"k1:{base64.b64encode(key).decode()}"
