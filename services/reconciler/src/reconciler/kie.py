"""KIE's polling call; the only room that calls libs/kie."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Final, Self

import httpx

from chassis.secrets import Secrets
from contracts.polls import PollRequested
from kie import api
from kie.values import Reading, State
from reconciler import domain

CALL_TIMEOUT: Final = 15.0  # seconds; recorded polls took below one, and the lease is longer

_heard: ContextVar[bytearray] = ContextVar("heard")


class Kie:
    def __init__(self, http: httpx.AsyncClient, *, base_url: str, keys: Secrets) -> None:
        self._http = http
        self._base_url = base_url
        self._keys = keys

    @classmethod
    @asynccontextmanager
    async def connected(cls, base_url: str, *, keys: Secrets) -> AsyncIterator[Self]:
        async with api.http_client() as http:
            http.event_hooks = {"response": [_listen]}
            # The body is kept as evidence, so it must travel as it is read.
            http.headers["Accept-Encoding"] = "identity"
            yield cls(http, base_url=base_url, keys=keys)

    async def poll(self, request: PollRequested) -> domain.Answer:
        """Ask once; trouble of any kind is an answer too."""
        key = self._keys.find(request.account)
        if key is None:
            return _unasked(request)
        client = api.KieApi(
            self._http,
            base_url=self._base_url,
            api_key=key.get_secret_value(),
            call_timeout=CALL_TIMEOUT,
        )
        heard = bytearray()
        listening = _heard.set(heard)
        try:
            reading = await client.poll(
                family=request.family, operation=request.operation, task_id=request.task_id
            )
        finally:
            _heard.reset(listening)
        return domain.Answer(bytes(heard), reading)


def _unasked(request: PollRequested) -> domain.Answer:
    reading = Reading(
        task_id=None,
        state=State.FATAL_ERROR,
        error_code="no_key",
        error_message=f"there is no KIE key for account {request.account}",
        family=request.family,
    )
    return domain.Answer(b"", reading)


async def _listen(response: httpx.Response) -> None:
    if isinstance(response.stream, httpx.AsyncByteStream):
        response.stream = _Heard(response.stream, _heard.get())


class _Heard(httpx.AsyncByteStream):
    """Passes an answer on to libs/kie, which reads it, and keeps its bytes for the report."""

    def __init__(self, inner: httpx.AsyncByteStream, heard: bytearray) -> None:
        self._inner = inner
        self._heard = heard

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._inner:
            self._heard += chunk
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()
