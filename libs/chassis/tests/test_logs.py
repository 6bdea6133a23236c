"""Logging: one form for all, and no secret in any of it."""

import errno
import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from chassis import logs
from testkit.logging_kept import logging_kept

TOKEN = "123456789:AAH-secretsecretsecretsecretsecret_x"

SECRETS = {
    "telegram": (f"POST https://api.telegram.org/bot{TOKEN}/sendMessage", TOKEN),
    "bearer": ("sent {'Authorization': 'Bearer sk-abcdef123456'}", "sk-abcdef123456"),
    "header": ("Authorization: Bearer sk-abcdef123456", "sk-abcdef123456"),
    "callback": ("POST /callbacks/kie/k1.job.1.c2lnbmF0dXJl HTTP/1.1", "c2lnbmF0dXJl"),
    "postgres": ("postgresql://me:hunter2@db:5432/x", "hunter2"),
    "nats": ("nats://me:hunter2@nats:4222", "hunter2"),
    "nkey": ("no such file: 'SUAB{}'".format("2A" * 27), "2A2A"),
    "row": (
        "new row violates check\nDETAIL:  Failing row contains (1, a cat\nwith a hat).",
        "with a hat",
    ),
    "value": (
        "1 error for X\ny\n  Field required [type=missing, input_value={'a': 'cat'}, input_type=dict]",
        "cat",
    ),
}


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    with logging_kept():
        yield


def output(capsys: pytest.CaptureFixture[str]) -> str:
    written = capsys.readouterr()
    return written.out + written.err


@pytest.mark.parametrize("text, secret", SECRETS.values(), ids=SECRETS.keys())
@pytest.mark.parametrize("form", ["json", "console"])
def test_no_secret_reaches_the_output(
    form: str, text: str, secret: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(output="json" if form == "json" else "console")
    log = structlog.get_logger()

    log.info(text)
    log.info("thing.done", field=text, deep={"list": [text, {"k": (text,)}]}, odd=Odd(text))
    logging.getLogger("aiogram").error("library says %s", text)
    try:
        fail(text)
    except RuntimeError as problem:
        log.exception("thing.failed")
        log.warning("thing.failed", exc_info=problem)
        logging.getLogger("library").exception("failed")

    written = output(capsys)
    assert "thing.failed" in written
    assert "RuntimeError" in written
    assert secret not in written


def fail(text: str) -> None:
    raise RuntimeError(text)


class Odd:
    """A value no renderer knows."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"Odd({self.text})"


def test_what_is_no_secret_stays_readable() -> None:
    text = "job 7F3K at 2026-11-24T02:06:31 took 12:30, see https://host/path?a=b:c@d"

    assert logs.redact(text) == text


def test_a_json_line_carries_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(output="json", service="job-store")

    structlog.get_logger().info("[JOB_UPDATE] job.advanced", job_id="j", count=3)

    line = json.loads(output(capsys))
    assert line["event"] == "[JOB_UPDATE] job.advanced"
    assert (line["job_id"], line["count"], line["level"]) == ("j", 3, "info")
    assert line["service"] == "job-store"


def test_chatty_libraries_are_heard_from_warning_on(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(output="json")

    logging.getLogger("httpx").info("GET https://api")
    logging.getLogger("httpx").warning("slow")

    assert "GET" not in (written := output(capsys))
    assert "slow" in written


def test_the_level_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(output="json", level="error")

    structlog.get_logger().info("thing.done")

    assert output(capsys) == ""


class FullDisk(io.StringIO):
    def write(self, _text: str) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")


@pytest.mark.parametrize("gone", [True, False], ids=["closed", "disk full"])
def test_a_line_that_cannot_be_written_stops_nobody(
    gone: bool,  # noqa: FBT001 - a parameter of the test
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stderr = io.StringIO() if gone else FullDisk()
    if gone:
        stderr.close()
    logs.configure()
    monkeypatch.setattr(sys, "stderr", stderr)

    structlog.get_logger().info("thing.done")
