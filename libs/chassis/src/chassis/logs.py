"""One way to log: structlog, console or JSON; libraries join in; secrets and users' words are redacted at the root."""

import logging
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from chassis.tracing.context import trace_id
from chassis.tracing.spans import current

HIDDEN = "[hidden]"

_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    # A Telegram token, also inside a URL: /bot<token>/sendMessage.
    (re.compile(r"(?<!\d)\d{6,}:[A-Za-z0-9_-]{30,}"), HIDDEN),
    (
        re.compile(r"(?i)(authorization['\"]?\s*[:=]\s*['\"]?)(?:bearer|basic)?\s*[^\s'\",;]+"),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?i)\b(bearer\s+)[A-Za-z0-9._~+/=-]{8,}"), rf"\1{HIDDEN}"),
    (re.compile(r"(/callbacks/kie/)[^\s/?#'\"]+"), rf"\1{HIDDEN}"),
    # The seed of an nkey, put where its file was to be named.
    (re.compile(r"\bS[A-Z2-7]{57}\b"), HIDDEN),
    # user:password@ of any URL; postgres and nats are the ones we hold.
    (re.compile(r"\b([a-z][a-z0-9+.-]*://)[^\s/@'\"]+@"), rf"\1{HIDDEN}@"),
    # What users wrote, quoted by Postgres and by pydantic: to the end, for it may contain anything.
    (re.compile(r"(?s)(Failing row contains ).*"), rf"\1{HIDDEN}"),
    (re.compile(r"(input_value=).*(?=, input_type=)"), rf"\1{HIDDEN}"),
)

# No secret of ours is without one of these: most fields are told to be harmless by one look.
_SUSPECT = re.compile(r"(?i)[:=/]|bearer|S[A-Z2-7]{57}")

# What is shown without quotes; nothing in it can pass for another field or steer a terminal.
_ONE_WORD = re.compile(r"[!#-&(-<>-~]+")
_OF_OUR_MAKING = frozenset({"timestamp", "level"})

# They log every request, with its URL.
_CHATTY = (
    "httpx",
    "httpcore",
    "aiohttp",
    "uvicorn",
    "uvicorn.error",
    "uvicorn.access",
    "asyncio",
    "nats",
    "faststream",
)


def redact(text: str) -> str:
    """Hide everything in the text that looks like one of our secrets, or like a user's words in an error."""
    if _SUSPECT.search(text) is None:
        return text
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def configure(
    *, output: Literal["console", "json"] = "console", level: str = "info", service: str = ""
) -> None:
    """Write our lines and every library's in one form to stderr.

    Last call wins; call it once per process, before anything logs.
    """
    # Ours go straight to the file: stdlib's way costs three times as much a line.
    structlog.configure(
        processors=[*_beginning(service), *_ending(output)],
        logger_factory=_Lines,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # A cached logger would go on as it was configured first, whatever is configured since.
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    foreign = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *_beginning(service)],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_ending(output)],
    )
    handler.setFormatter(foreign)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


class _Lines:
    """Writes to stderr as it stands; what cannot be written is lost, never the work it tells of."""

    def msg(self, line: str) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.write(f"{line}\n")

    debug = info = warning = error = critical = exception = msg


def complain(text: str) -> None:
    """Say something to the person at the terminal before logging is configured."""
    sys.stderr.write(redact(text) + "\n")


def _beginning(service: str) -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _name_service(service),
        name_trace,
    ]


def _ending(output: str) -> list[Processor]:
    renderer: Processor
    if output == "json":
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False, default=repr_redacted)
    elif sys.stderr.isatty():
        renderer = structlog.dev.ConsoleRenderer(sort_keys=False)
    else:
        renderer = render_plain
    # The text of an exception is redacted too.
    return [structlog.processors.format_exc_info, redact_event, renderer]


def render_plain(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """Write a line for a file: what the console shows, without its colours, in a third of the time."""
    level, exception = event.pop("level", ""), event.pop("exception", None)
    head = f"{event.pop('timestamp', '')} [{level:<8}] {event.pop('event', '')}"
    pairs = "".join([f" {name}={_shown(value)}" for name, value in event.items()])
    return f"{head}{pairs}" if exception is None else f"{head}{pairs}\n{exception}"


def _shown(value: object) -> str:
    return value if isinstance(value, str) and _ONE_WORD.fullmatch(value) else repr(value)


def redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Redact every string of an event, however deep, but for the two that are of our making."""
    return {
        key: value if key in _OF_OUR_MAKING else _redact_value(value)
        for key, value in event.items()
    }


def repr_redacted(value: object) -> str:
    """Render what JSON cannot, redacted."""
    return redact(str(value))


def _redact_value(value: object) -> object:
    match value:
        case str():
            return redact(value)
        case bool() | int() | float() | None:
            return value
        case Mapping():
            return {redact(str(key)): _redact_value(each) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_redact_value(each) for each in value]
        case _:
            return repr_redacted(value)


def name_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Say in which trace the line was written, if in any."""
    context = current()
    if context is not None:
        event.setdefault("trace_id", trace_id(context))
    return event


def _name_service(service: str) -> Processor:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        if service:
            event.setdefault("service", service)
        return event

    return add
