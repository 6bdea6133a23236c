"""The gateway's public HTTP door, as KIE or a stranger comes to it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from sendonce_cli.probes.items import Unmet
from testkit.kie.wire import JsonObject

CALLBACKS: Final = "/callbacks/kie"
OK: Final = 200
JSON: Final = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the door said."""

    status: int
    media_type: str
    body: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        """Say it in a few words."""
        return f"HTTP {self.status} {self.body.get('title', '')}".strip()


class Door:
    """Posts callbacks."""

    def __init__(self, http: aiohttp.ClientSession, base: str | None) -> None:
        """`base` is the gateway's own address; without one signed addresses are used as they are."""
        self._http = http
        self.base = base.rstrip("/") if base else None

    def at(self, signed: str) -> str:
        """Return where a signed callback URL is answered, seen from here."""
        if self.base is None:
            return signed
        return f"{self.base}{CALLBACKS}/{signed.rpartition('/')[2]}"

    async def post(
        self,
        url: str,
        body: JsonObject | bytes,
        *,
        headers: Mapping[str, str] = JSON,
        method: str = "POST",
    ) -> Answer:
        """Send one callback and return the answer, whatever it is."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self._http.request(method, url, data=data, headers=headers) as answer:
            try:
                told = json.loads(await answer.read())
            except ValueError:
                told = {}
            return Answer(
                status=answer.status,
                media_type=answer.content_type,
                body=told if isinstance(told, dict) else {},
            )

    async def tell(self, url: str, body: JsonObject | bytes) -> None:
        """Send a callback that must be taken."""
        answer = await self.post(url, body)
        if answer.status != OK:
            raise Unmet(f"the gateway answered a callback with {answer}")
