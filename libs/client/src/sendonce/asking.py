"""Asking job-store: one request, tried with the same bytes until it is answered or the deadline is here."""

import math
import time
from collections.abc import Mapping
from typing import TypeVar
from uuid import UUID

from pydantic import ValidationError

from contracts import subjects
from contracts.api import Request
from contracts.message import Value
from contracts.refusals import RefusalName
from sendonce.errors import OF_CODE, InvalidRequest, SendOnceError, TooManyJobs, Unavailable
from sendonce.orders import order
from sendonce.waiting import happens
from sendonce.wire import NoAnswer, Wire

V = TypeVar("V", bound=Value)

TRY = (
    4.0  # s for one try; a create takes milliseconds, and a reply lost with its server never comes
)
FIRST_PAUSE = 0.05  # s; a service restarting behind its twin is back at once
LONGEST_PAUSE = 1.0  # s
LEAST = (
    0.02  # s; a further try with less time would be cut off, and hide what the one before had found
)
NEVER_ARRIVED = "it never arrived, nothing was changed: ask again when sendonce is back"


class ToldLimit(Value):
    """Which limit stands in the way; its words are not bound to the ones known here."""

    whose: str
    what: str
    allowed: int


class Told(Value):
    """A refusal of any server, newer ones included: the code is not bound to the ones known here."""

    code: str
    message: str
    hint: str = ""
    job_id: UUID | None = None
    limit: ToldLimit | None = None
    retry_after: float | None = None


class ToldReply(Value):
    """How a refusal travels."""

    error: Told


class Asker:
    """Sends one bot's requests and reads the answers."""

    def __init__(self, wire: Wire, *, bot: str, deadline: float) -> None:
        self._wire = wire
        self._bot = bot
        self._deadline = deadline

    async def ask(
        self,
        verb: str,
        kind: type[Request],
        values: Mapping[str, object],
        view: type[V],
        *,
        timeout: float | None = None,
    ) -> V:
        """Return the answer, or raise the refusal.

        Raises:
            InvalidRequest: the arguments cannot be a request; nothing was sent.
            Unavailable: no answer within `timeout` seconds.
            SendOnceError: job-store refused.
        """
        within = seconds(timeout) if timeout is not None else self._deadline
        until = time.monotonic() + within
        request = order(kind, values, not_after=time.time() + within)
        payload = request.model_dump_json(exclude_none=True).encode()
        pause, arrived, reason, least = FIRST_PAUSE, False, "no time was left", 0.0
        with self._wire.returns() as back:
            while (left := until - time.monotonic()) > least:
                try:
                    return await self._try(verb, payload, view, timeout=min(left, TRY))
                except NoAnswer as problem:
                    arrived, reason = arrived or problem.sent, problem.reason
                # A connection that is back ends the pause.
                back.clear()
                await happens(back, within=max(0.0, min(pause, until - time.monotonic())))
                pause, least = min(2 * pause, LONGEST_PAUSE), LEAST
        raise Unavailable(
            f"no answer to {verb} within {within:g} s: {reason}", "" if arrived else NEVER_ARRIVED
        )

    async def _try(self, verb: str, payload: bytes, view: type[V], *, timeout: float) -> V:
        raw = await self._wire.request(subjects.api(self._bot, verb), payload, timeout=timeout)
        try:
            return view.model_validate_json(raw)
        except ValidationError:
            refusal = _refusal(raw)
        if refusal.code == RefusalName.UNAVAILABLE:
            raise NoAnswer(refusal.message, sent=True)
        raise _error(refusal)


def seconds(value: float) -> float:
    """Return a timeout that is one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidRequest(f"a timeout is a number of seconds, not a {type(value).__name__}")
    if not 0 < value < math.inf:
        raise InvalidRequest(f"a timeout is more than 0 and finite, not {value}")
    return float(value)


def _error(refusal: Told) -> SendOnceError:
    said = (refusal.message, refusal.hint, refusal.job_id)
    if (limit := refusal.limit) is None:
        return OF_CODE.get(refusal.code, SendOnceError)(*said, refusal.code)
    return TooManyJobs(
        *said,
        retry_after=refusal.retry_after or 1.0,
        whose=limit.whose,
        what=limit.what,
        allowed=limit.allowed,
    )


def _refusal(raw: bytes) -> Told:
    try:
        return ToldReply.model_validate_json(raw).error
    except ValidationError:
        # Neither view nor refusal: a proxy's or another version's words. Ask again, it may be replaced.
        raise NoAnswer(f"an answer of {len(raw)} bytes that cannot be read", sent=True) from None
