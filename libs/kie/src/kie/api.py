"""The KIE API: create a task, poll one, ask for the balance or a link. Retries nothing by itself."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import httpx

from kie import account, creation
from kie.account import Credits, DownloadUrl, Unavailable
from kie.body import Json
from kie.creation import Ambiguous, Created, Creation, NotCreated, Unfit
from kie.endpoints import Endpoint, parent_of
from kie.families import ENDPOINTS, FAMILIES, GENERATE, Input, find
from kie.reading import Anomaly, Reading, State, read_poll, unanswered, unaskable

__all__ = [
    "ENDPOINTS",
    "FAMILIES",
    "USER_AGENT",
    "Ambiguous",
    "Created",
    "Creation",
    "Credits",
    "DownloadUrl",
    "KieApi",
    "NotCreated",
    "Unavailable",
    "Unfit",
    "http_client",
]

# KIE's CDN answers 403 to the agents of Python libraries.
USER_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36"
)
CONNECT_TIMEOUT = 5.0
# Creating validates and enqueues; recorded calls took seconds, slow ones are cut here.
CALL_TIMEOUT = 30.0
# Answers are small but for MIDI, which carries every note.
LARGEST_ANSWER = 16 * 1024 * 1024

# Raised before the first byte of a request leaves.
_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)


Told = TypeVar("Told", Credits | Unavailable, DownloadUrl | Unavailable)


class _TooLargeError(Exception):
    """The answer exceeds what any endpoint sends."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    raw: bytes
    retry_after: str | None


def http_client() -> httpx.AsyncClient:
    """Open a client fit for creating: no connection is used twice.

    A kept connection may be closed under our request, which would make a creation ambiguous.
    """
    return httpx.AsyncClient(
        limits=httpx.Limits(max_connections=100, max_keepalive_connections=0),
        timeout=httpx.Timeout(CALL_TIMEOUT, connect=CONNECT_TIMEOUT),
        follow_redirects=False,
    )


class KieApi:
    """Calls KIE with one account's key; the key never stands in what it returns."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        base_url: str,
        api_key: str,
        call_timeout: float = CALL_TIMEOUT,
    ) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._api_key = api_key
        self._call_timeout = call_timeout
        # Connecting ends well before the whole call does: only then is "never sent" certain.
        connect = min(CONNECT_TIMEOUT, call_timeout / 2)
        self._timeout = httpx.Timeout(call_timeout, connect=connect)

    async def create_task(
        self,
        *,
        family: str,
        operation: str = GENERATE,
        model: str | None,
        input: Input,  # noqa: A002  KIE's own word, part of the request
        callback_url: str | None,
    ) -> Creation:
        """Create a task; says exactly what the answer, or its absence, proves."""
        endpoint = find(family, operation)
        if isinstance(endpoint, Unfit):
            return endpoint
        unfit = endpoint.unfit(model=model, given=input, callback_url=callback_url)
        if unfit is not None:
            return unfit
        if endpoint.create_path is None:
            return _already_there(endpoint, input)
        try:
            request = self._posting(
                endpoint.create_path, endpoint.write(model, input, callback_url)
            )
        except ValueError as error:  # not a number, or text that is no UTF-8
            return Unfit("input_unfit", f"the request cannot be written: {_name(error)}")
        try:
            answer = await self._send(request)
        except _NEVER_SENT as error:
            return NotCreated("later", None, self._without_key(_name(error)))
        except (httpx.HTTPError, TimeoutError, _TooLargeError) as error:
            return Ambiguous(self._without_key(_name(error)))
        outcome = creation.on_answer(
            http_status=answer.status, raw=answer.raw, retry_after=answer.retry_after
        )
        return self._redacted(outcome)

    async def poll(self, *, family: str, task_id: str, operation: str = GENERATE) -> Reading:
        """Ask about a task at its family's endpoint; trouble on the way is a transient error."""
        endpoint = find(family, operation)
        if isinstance(endpoint, Unfit) or endpoint.poll_path is None:
            return unaskable(family=family)
        try:
            answer = await self._send(self._getting(endpoint.poll_path, {"taskId": task_id}))
        except (httpx.HTTPError, TimeoutError, _TooLargeError) as error:
            return unanswered(family=endpoint.name, reason=self._without_key(_name(error)))
        reading = read_poll(answer.raw, family=endpoint.name, http_status=answer.status)
        message = reading.error_message
        if message is not None:
            reading = replace(reading, error_message=self._without_key(message))
        return _about(task_id, reading)

    async def credits(self) -> Credits | Unavailable:
        """Ask for the balance of the account."""
        answer = await self._told(self._getting(account.CREDITS_PATH, {}))
        if isinstance(answer, Unavailable):
            return answer
        return self._discreet(account.read_credits(http_status=answer.status, raw=answer.raw))

    async def download_url(self, url: str) -> DownloadUrl | Unavailable:
        """Ask for a fresh address of a result that KIE keeps, good for twenty minutes."""
        try:
            request = self._posting(account.DOWNLOAD_URL_PATH, {"url": url})
        except ValueError:  # text that is no UTF-8
            return Unavailable("refused", None, "the address cannot be written")
        answer = await self._told(request)
        if isinstance(answer, Unavailable):
            return answer
        return self._discreet(account.read_download_url(http_status=answer.status, raw=answer.raw))

    def _posting(self, path: str, body: dict[str, Json]) -> httpx.Request:
        return self._http.build_request(
            "POST",
            self._base_url + path,
            json=body,
            headers=self._headers(),
            timeout=self._timeout,
        )

    def _getting(self, path: str, params: Mapping[str, str]) -> httpx.Request:
        return self._http.build_request(
            "GET",
            self._base_url + path,
            params=dict(params),
            headers=self._headers(),
            timeout=self._timeout,
        )

    async def _told(self, request: httpx.Request) -> _Answer | Unavailable:
        try:
            return await self._send(request)
        except (httpx.HTTPError, TimeoutError, _TooLargeError) as error:
            return Unavailable("later", None, self._without_key(_name(error)))

    async def _send(self, request: httpx.Request) -> _Answer:
        # httpx bounds each step; a slow drip of bytes is bounded only here.
        async with asyncio.timeout(self._call_timeout):
            response = await self._http.send(request, stream=True, follow_redirects=False)
            try:
                chunks = bytearray()
                async for chunk in response.aiter_bytes():
                    chunks += chunk
                    if len(chunks) > LARGEST_ANSWER:
                        raise _TooLargeError
            finally:
                await response.aclose()
        return _Answer(response.status_code, bytes(chunks), response.headers.get("Retry-After"))

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._api_key}",
            "User-Agent": USER_AGENT,
            "Accept": "application/json",
        }

    def _redacted(self, outcome: Creation) -> Creation:
        match outcome:
            case NotCreated(message=str(message)):
                return replace(outcome, message=self._without_key(message))
            case Ambiguous(reason):
                return replace(outcome, reason=self._without_key(reason))
            case _:
                return outcome

    def _discreet(self, told: Told) -> Told:
        if isinstance(told, Unavailable) and told.message is not None:
            return replace(told, message=self._without_key(told.message))
        return told

    def _without_key(self, text: str) -> str:
        return text.replace(self._api_key, "***") if self._api_key else text


def _name(error: Exception) -> str:
    # The class says what happened; httpx texts may quote the URL or a header.
    return type(error).__name__


def _already_there(endpoint: Endpoint, given: Input) -> Creation:
    """Answer for an operation that is only polled: its task is the finished one it is about."""
    parent = parent_of(given)
    if parent is None:
        return Unfit("input_unfit", f"{endpoint.label} needs the taskId of a finished video")
    return Created(parent)


def _about(task_id: str, reading: Reading) -> Reading:
    """Hold a reading that speaks about another task than the one asked for."""
    if reading.task_id in (None, task_id):
        return reading
    return replace(
        reading,
        task_id=task_id,
        state=State.UNKNOWN,
        media=(),
        anomalies=(*reading.anomalies, Anomaly.TASK_ID_MISMATCH),
    )
