"""`sendonce callback parse`: read a message of KIE as the gateway and the reconciler do."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from kie.explain import explain
from kie.reading import Reading, read_callback, read_poll
from sendonce_cli.group import group
from sendonce_cli.screen import err, out, print_json
from sendonce_cli.screens.reading import explanation_screen, reading_line
from sendonce_cli.trouble import misuse

app = group("callback", "Read what KIE sends, and see how it was read.")

STDIN: Final = "-"
HTTP_OK: Final = 200


class Kind(StrEnum):
    """Which of KIE's two ways to tell brought the message."""

    CALLBACK = "callback"
    POLL = "poll"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A body as it came, with what the wrapping object tells about it."""

    body: bytes
    family: str | None = None
    http_status: int = HTTP_OK


@app.command()
def parse(
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="Where the message is; - is standard input.")
    ] = STDIN,
    kind: Annotated[
        Kind, typer.Option(help="A callback's body, or the answer to a poll (recordInfo).")
    ] = Kind.CALLBACK,
    lines: Annotated[
        bool, typer.Option("--lines", help="One message a line in, one reading a line out.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the reading as an object, for programs.")
    ] = False,
) -> None:
    """Read a callback or a polling answer and say what it means, and why.

    The input is one object [bold]{"family"?, "headers"?, "body"}[/] with the body as an object or as a string, or a
    bare body. Nothing is refused: what cannot be understood is [bold]unknown[/]. For people every value stands with the
    path it was found at, then what was ignored and what is odd.
    """
    raw = _read(file)
    if not lines:
        reading = _reading(_message(raw), kind)
        if as_json:
            print_json(_facts(reading))
        else:
            out().print(explanation_screen(explain(reading)))
        return
    for line in _lines(raw):
        reading = _reading(_message(line), kind)
        if as_json:
            print_json(_facts(reading))
        else:
            out().print(reading_line(reading), soft_wrap=True)


def _read(file: str) -> bytes:
    if file == STDIN:
        if sys.stdin.isatty():
            err().print("[quiet]reading from the keyboard; Ctrl-D ends the message[/]")
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as unreadable:
        raise misuse(
            f"cannot read {file}: {unreadable.strerror or unreadable}",
            hint="name a file, or - for standard input",
        ) from unreadable


def _lines(raw: bytes) -> Iterator[bytes]:
    return (line for line in raw.split(b"\n") if line.strip())


def _message(raw: bytes) -> Message:
    """Unwrap the body if it is wrapped; anything else is the body itself."""
    try:
        outer: object = json.loads(raw)
    except (ValueError, RecursionError):
        return Message(body=raw)
    if not isinstance(outer, dict) or "body" not in outer:
        return Message(body=raw)
    inner, family, status = outer["body"], outer.get("family"), outer.get("http_status")
    return Message(
        # A string is the body as it came over the wire, down to keys that stand twice.
        body=inner.encode("utf-8", "replace")
        if isinstance(inner, str)
        else json.dumps(inner).encode(),
        family=family if isinstance(family, str) else None,
        http_status=status if isinstance(status, int) else HTTP_OK,
    )


def _reading(message: Message, kind: Kind) -> Reading:
    if kind is Kind.POLL:
        return read_poll(message.body, family=message.family, http_status=message.http_status)
    return read_callback(message.body, family=message.family)


def _facts(reading: Reading) -> dict[str, object]:
    return {
        "task_id": reading.task_id,
        "state": str(reading.state),
        "result_urls": list(reading.result_urls),
        "error_code": reading.error_code,
        "error_message": reading.error_message,
        "family": reading.family,
    }
