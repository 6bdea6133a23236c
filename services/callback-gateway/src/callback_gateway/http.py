"""The HTTP room: bounded reading, routing, answers. The only one that knows Starlette.

An application in itself: with two addresses, a router and its middlewares would cost more than
everything else done here.
"""

import asyncio
import hashlib
import re
import traceback
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

import structlog
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from callback_gateway.domain import answers
from callback_gateway.domain.answers import Problem
from callback_gateway.domain.arrival import BODY_KEPT, HEARD_HEADERS, Body, Callback
from chassis.clock import Clock
from chassis.metrics import counter, gauge

log = structlog.get_logger()

CALLBACKS: Final = "/callbacks/kie"
WITH_TOKEN: Final = f"{CALLBACKS}/{{token}}"
ADDRESSES: Final = (CALLBACKS, WITH_TOKEN)
PROBLEM_JSON: Final = "application/problem+json"
# What KIE's own documentation answers with (kie.md section 1.3).
STORED: Final = b'{"code":200,"msg":"success"}'

_ADDRESS: Final = re.compile(rf"{CALLBACKS}(?:/(?P<token>[^/]+))?")
_HEARD: Final = {name.encode(): name for name in HEARD_HEADERS}

_ANSWERS = counter(
    "callback_answers_total",
    "Requests to the public port by answer.",
    ["code"],
    known=["200", "400", "401", "429", "503"],
)
_OPEN = gauge("callback_requests_open", "Requests between their first byte and their answer.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of the outside is taken in at once."""

    body_deadline: timedelta
    body_bytes: int  # read and digested; only the first 256 KiB are kept
    open_requests: int


class SlowBody(Exception):
    """The body had not ended by its deadline."""


class BrokenOff(Exception):
    """The caller left before the body had ended."""


class OnCallback(Protocol):
    """Whoever decides about a callback; None means that it is stored."""

    def __call__(self, callback: Callback, /, *, began: float) -> Awaitable[Problem | None]: ...


class Door:
    """The public port as an ASGI application: takes a request in, asks what becomes of it, answers."""

    def __init__(self, on_callback: OnCallback, *, limits: Limits, clock: Clock) -> None:
        self._on_callback = on_callback
        self._limits = limits
        self._clock = clock
        self._body_seconds = limits.body_deadline.total_seconds()
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens."""
        response = await self._response(scope, receive)
        await response(scope, receive, send)

    async def _response(self, scope: Scope, receive: Receive) -> Response:
        address = _ADDRESS.fullmatch(scope["path"])
        if address is None:
            return _refused(answers.NOT_FOUND, closing=True)
        if scope["method"] != "POST":
            return _refused(answers.WRONG_METHOD, closing=True)
        return await self._on_post(scope, receive, address["token"])

    async def _on_post(self, scope: Scope, receive: Receive, token: str | None) -> Response:
        if self._open >= self._limits.open_requests:
            return _refused(answers.BUSY, closing=True)
        self._open += 1
        _OPEN.set(self._open)
        try:
            return await self._answer(scope, receive, token)
        except SlowBody:
            return _refused(answers.SLOW_BODY, closing=True)
        except BrokenOff:
            log.info("[KIE_CALLBACK] callback.broken_off")
            # Nobody reads it; the code says in the metrics what happened.
            return _counted(Response(status_code=499))
        except Exception as bug:  # noqa: BLE001 - a traceback may quote the request
            last = traceback.extract_tb(bug.__traceback__)[-1]
            log.error(  # noqa: TRY400 - as above
                "[KIE_CALLBACK] callback.broke",
                error=type(bug).__name__,
                at=f"{last.name}:{last.lineno}",
            )
            return _refused(answers.BROKEN, closing=True)
        finally:
            self._open -= 1
            _OPEN.set(self._open)

    async def _answer(self, scope: Scope, receive: Receive, token: str | None) -> Response:
        began = self._clock.monotonic()
        body, whole = await self._read(receive)
        callback = Callback(
            token=token,
            body=body,
            received_at=self._clock.now(),
            headers=_heard(scope),
        )
        problem = await self._on_callback(callback, began=began)
        if problem is not None:
            return _answer_of(problem, closing=not whole)
        _TAKEN.inc()
        return _STORED if whole else _STORED_AND_CLOSING

    async def _read(self, receive: Receive) -> tuple[Body, bool]:
        """Read until the end, the cap or the deadline; tells whether the end was reached."""
        kept = bytearray()
        digest = hashlib.sha256()
        size = 0
        whole = True
        try:
            async with asyncio.timeout(self._body_seconds):
                async for chunk in _chunks(receive):
                    taken = chunk[: self._limits.body_bytes - size]
                    digest.update(taken)
                    kept += taken[: BODY_KEPT - len(kept)]
                    size += len(taken)
                    if len(taken) < len(chunk):
                        whole = False
                        break
        except TimeoutError as late:
            raise SlowBody from late
        truncated = size > len(kept) or not whole
        return Body(kept=bytes(kept), digest=digest.hexdigest(), truncated=truncated), whole


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BrokenOff
        yield message.get("body", b"")
        more = message.get("more_body", False)


def _heard(scope: Scope) -> dict[str, str]:
    """Read the headers that count; of one that stands twice the first."""
    return {
        name: value.decode("latin-1")
        for raw, value in reversed(scope["headers"])
        if (name := _HEARD.get(raw)) is not None
    }


def _refused(problem: Problem, *, closing: bool) -> Response:
    """Answer what no handler saw, with the log line the handlers would have written."""
    log.info("[KIE_CALLBACK] callback.refused", status=problem.status, problem=problem.name)
    return _answer_of(problem, closing=closing)


def _answer_of(problem: Problem, *, closing: bool) -> Response:
    document = {
        "type": problem.type,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "hint": problem.hint,
    }
    headers = _closing(closing=closing)
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    if problem is answers.WRONG_METHOD:
        headers["Allow"] = "POST"
    return _counted(
        JSONResponse(document, status_code=problem.status, headers=headers, media_type=PROBLEM_JSON)
    )


def _closing(*, closing: bool) -> dict[str, str]:
    # An unread rest of a body must not be mistaken for the next request, nor be read for ever.
    return {"Connection": "close"} if closing else {}


def _counted(response: Response) -> Response:
    _ANSWERS.labels(str(response.status_code)).inc()
    return response


_TAKEN: Final = _ANSWERS.labels("200")
# Responses hold nothing of a request, so one serves all.
_STORED: Final = Response(STORED, media_type="application/json")
_STORED_AND_CLOSING: Final = Response(
    STORED, media_type="application/json", headers=_closing(closing=True)
)
