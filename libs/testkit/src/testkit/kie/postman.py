"""Carries callbacks: signs, waits 15 s for an answer, retries three times, writes it down."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from testkit.kie.signing import signed_headers
from testkit.kie.tasks import CallbackAttempt, CallbackKind, Task

KIE_RECEIVER_TIMEOUT = 15.0
KIE_RETRIES = 3
ANSWER_KEPT = 500  # characters of an answer that are remembered
FOREIGN_KEY = "a key nobody has"


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How stubbornly callbacks are delivered. The spacing of retries is nowhere documented."""

    receiver_timeout: float = KIE_RECEIVER_TIMEOUT
    retry_delays: tuple[float, ...] = (1.0,) * KIE_RETRIES
    hmac_key: str | None = None


class Postman:
    """Delivers callbacks for every task of one server."""

    def __init__(
        self,
        *,
        session: aiohttp.ClientSession,
        habits: Habits,
        on_attempt: Callable[[CallbackAttempt], None],
    ) -> None:
        self._session = session
        self._habits = habits
        self._timeout = aiohttp.ClientTimeout(total=habits.receiver_timeout)
        self._on_attempt = on_attempt

    async def deliver(self, task: Task, *, kind: CallbackKind, body: bytes) -> bool:
        """Try, then retry; True once the receiver said 200."""
        for attempt, delay in enumerate((0.0, *self._habits.retry_delays), start=1):
            await asyncio.sleep(delay)
            if await self._attempt(task, kind=kind, body=body, attempt=attempt):
                return True
        return False

    async def drop_once(self, task: Task, *, kind: CallbackKind, body: bytes) -> bool:
        """One try and no retry."""
        return await self._attempt(task, kind=kind, body=body, attempt=1)

    async def _attempt(self, task: Task, *, kind: CallbackKind, body: bytes, attempt: int) -> bool:
        headers, rightly_signed = self._headers(task)
        at, started = time.time(), time.monotonic()
        status, answer, error = await self._post(task.callback_url or "", body, headers)
        record = CallbackAttempt(
            kind=kind,
            attempt=attempt,
            at=at,
            seconds=time.monotonic() - started,
            status=status,
            error=error,
            answer=answer,
            body=body,
            rightly_signed=rightly_signed,
        )
        task.callbacks.append(record)
        self._on_attempt(record)
        return record.accepted

    async def _post(
        self, url: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int | None, str, str | None]:
        try:
            async with self._session.post(
                url, data=body, headers=headers, timeout=self._timeout, allow_redirects=False
            ) as response:
                answer = await response.content.read(ANSWER_KEPT)
                return response.status, answer.decode(errors="replace"), None
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return None, "", f"{type(error).__name__}: {error}"

    def _headers(self, task: Task) -> tuple[dict[str, str], bool | None]:
        headers = {"Content-Type": "application/json", "User-Agent": "kie.ai"}
        key = self._habits.hmac_key
        if key is None:
            return headers, None
        rightly = task.wrong_signatures_left <= 0
        task.wrong_signatures_left -= 1
        used = key if rightly else FOREIGN_KEY
        # Each try is signed anew: the timestamp says when this request was sent.
        headers |= signed_headers(key=used, task_id=task.task_id, timestamp=int(time.time()))
        return headers, rightly
