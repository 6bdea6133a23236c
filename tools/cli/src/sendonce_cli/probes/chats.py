"""Where results are shown: chats of the sandbox Telegram, whose truth can be asked, or one real chat."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Protocol

import aiohttp
from pydantic import BaseModel, TypeAdapter

from sendonce_cli.probes.files import TYPES, file_of
from sendonce_cli.probes.items import Unshown

FIRST_CHAT: Final = 990_000  # of the sandbox; each sort of content has a chat of its own


class _Ever(BaseModel):
    count: int


class _Shown(BaseModel):
    kind: str


class _Fault(BaseModel):
    id: int
    struck: int


class _Armed(BaseModel):
    ids: tuple[int, ...]


FAULTS: Final = TypeAdapter(list[_Fault])
EVER: Final = TypeAdapter(_Ever)
SHOWN: Final = TypeAdapter(list[_Shown])


@dataclass(frozen=True, slots=True, kw_only=True)
class Stood:
    """Where a content stood, says the sandbox Telegram."""

    ever: int  # in how many messages, ever
    now: int
    kinds: tuple[str, ...]  # of those it stands in now

    def __str__(self) -> str:
        """Say it in a few words."""
        as_what = f", as {', '.join(self.kinds)}" if self.kinds else ""
        return f"it stood in {self.ever} messages and stands in {self.now}{as_what}"


class Chats(Protocol):
    """Chats of a deployment."""

    def chat(self, number: int) -> int:
        """Return a chat to show something in."""

    async def link(self, suffix: str, *, mark: str) -> tuple[str, str]:
        """Return an address of a file of this sort, and by what its content is known; `Unshown` if none."""

    async def stood(self, content: str) -> Stood | None:
        """Return where a content stood; None where nobody can tell."""

    async def remove(self, chat: int, message: int) -> None:
        """Take a message away again, where that can be done."""


class SandboxChats:
    """Chats of the sandbox Telegram at this address."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self.url = url.rstrip("/")

    def chat(self, number: int) -> int:
        return FIRST_CHAT + number

    async def link(self, suffix: str, *, mark: str) -> tuple[str, str]:
        # Where the deployment finds its Telegram it finds the file, too.
        content, url = file_of(suffix, mark=mark), f"{self.url}/sim/files/{mark}.{suffix}"
        async with self._http.put(
            url, data=content, headers={"Content-Type": TYPES[suffix]}
        ) as answer:
            answer.raise_for_status()
        return url, sha256(content).hexdigest()

    async def stood(self, content: str) -> Stood | None:
        ever = EVER.validate_json(await self._asked("/sim/ever", content))
        now = SHOWN.validate_json(await self._asked("/sim/shown", content))
        return Stood(ever=ever.count, now=len(now), kinds=tuple(message.kind for message in now))

    async def remove(self, chat: int, message: int) -> None:
        # As its user would; one that is gone already needs no removal.
        path = f"{self.url}/sim/chats/{chat}/delete_message"
        async with self._http.post(path, json={"message_id": message}) as answer:
            await answer.read()

    async def order(self, path: str, order: Mapping[str, object]) -> bytes:
        """Ask the sandbox for something."""
        async with self._http.post(self.url + path, json=order) as answer:
            answer.raise_for_status()
            return await answer.read()

    @asynccontextmanager
    async def fault(self, **plan: object) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
        """Have one call go wrong while the block lasts; asked, tells whether it did."""
        (number,) = _Armed.model_validate_json(
            await self.order("/sim/faults", {"times": 1, **plan})
        ).ids

        async def struck() -> bool:
            async with self._http.get(f"{self.url}/sim/faults") as answer:
                armed = FAULTS.validate_json(await answer.read())
            return any(one.id == number and one.struck for one in armed)

        try:
            yield struck
        finally:
            async with self._http.delete(f"{self.url}/sim/faults/{number}"):
                pass

    async def _asked(self, path: str, content: str) -> bytes:
        async with self._http.get(self.url + path, params={"content": content}) as answer:
            answer.raise_for_status()
            return await answer.read()


class RealChat:
    """One chat of the real Telegram; what stands in it only its people see."""

    def __init__(self, chat_id: int, links: tuple[str, ...]) -> None:
        """`links` are public addresses of files, one for each sort that is to be shown."""
        self._chat_id = chat_id
        self._links = links

    def chat(self, number: int) -> int:  # noqa: ARG002 - there is one
        return self._chat_id

    async def link(self, suffix: str, *, mark: str) -> tuple[str, str]:  # noqa: ARG002 - they are given
        found = next(
            (url for url in self._links if url.partition("?")[0].lower().endswith(f".{suffix}")),
            None,
        )
        if found is None:
            raise Unshown(
                f"no public address of a .{suffix} file is known here",
                todo=f"name one with --media https://…/a.{suffix}",
            )
        return found, ""

    async def stood(self, content: str) -> Stood | None:  # noqa: ARG002 - nobody can tell
        return None

    async def remove(self, chat: int, message: int) -> None:
        """Leave it: the chat is there for it."""
