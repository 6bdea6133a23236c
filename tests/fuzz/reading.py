"""The laws of reading KIE, checked on one body; raises `AssertionError` for a body that breaks one."""

import hashlib
import time
from base64 import b64encode
from datetime import UTC, datetime
from typing import Final

from callback_gateway.domain.arrival import BODY_KEPT, Body, Callback
from callback_gateway.domain.judgement import Keys, Refuse, judge
from callback_gateway.domain.reports import WIRE_LIMIT
from contracts.reports import Reading, ReportReceived
from kie import reading, reported
from kie.dialects import BY_FAMILY

FAMILIES: Final = (None, *sorted(BY_FAMILY), "strange")
STATUSES: Final = (200, 404, 429, 500)
# A whole second for a megabyte: KIE waits 15, and every other callback waits with this one.
SECONDS_PER_MIB: Final = 1.0
LEAST_SECONDS: Final = 0.5  # of the smallest body: what a busy machine may add to anything
_NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
_KEYS: Final = Keys(tokens={}, hmac={})


def check(raw: bytes, *, family: str | None = None, status: int = 200) -> None:
    """Read a body in every way it can come in and check every law of the answer."""
    began = time.process_time()
    heard = (
        reading.read_callback(raw),
        reading.read_callback(raw, family=family),
        reading.read_poll(raw, family=family, http_status=status),
    )
    told = [reported.reading_of(one) for one in heard]
    spent = time.process_time() - began
    bound = LEAST_SECONDS + SECONDS_PER_MIB * len(heard) * len(raw) / 2**20
    assert spent <= bound, f"{len(raw)} bytes took {spent:.2f} s"
    assert heard[0] == reading.read_callback(raw), "the same bytes read differently"
    assert heard[2] == reading.read_poll(raw, family=family, http_status=status)
    for one, contract in zip(heard, told, strict=True):
        _speakable(one)
        _travels(contract)
    _judged(raw)


def _speakable(heard: reading.Reading) -> None:
    for url in heard.result_urls:
        assert url.lower().startswith(("http://", "https://")), url
    names = [heard.task_id, *(one.url for one in heard.media)]
    assert not any(_has_controls(name) for name in names if name is not None), names
    words = [heard.error_code, heard.error_message, heard.family, heard.status]
    words += [*heard.anomalies, *map(str, heard.trace), *(one.text for one in heard.media)]
    for word in words:
        assert word is None or ("\x00" not in word and word.encode() is not None)


def _has_controls(text: str) -> bool:
    return any(ord(char) < 0x20 or ord(char) == 0x7F for char in text)


def _travels(told: Reading) -> None:
    written = told.model_dump_json(exclude_none=True)
    assert Reading.model_validate_json(written) == told, "another reading arrives"
    for one in told.media:
        assert one.url is None or one.url.startswith(("http://", "https://")), one.url


def _judged(raw: bytes) -> None:
    """What the gateway makes of it fits the bus and is read there as it was meant."""
    body = Body(
        kept=raw[:BODY_KEPT],
        digest=hashlib.sha256(raw).hexdigest(),
        truncated=len(raw) > BODY_KEPT,
    )
    callback = Callback(
        token=None, body=body, received_at=_NOW, headers={"content-type": "application/json"}
    )
    verdict = judge(callback, keys=_KEYS, now=_NOW)
    if isinstance(verdict, Refuse):
        return
    assert len(verdict.report.wire) <= WIRE_LIMIT
    read = ReportReceived.read(verdict.report.wire)
    assert read == verdict.report.message
    assert b64encode(read.body) == b64encode(body.kept)
