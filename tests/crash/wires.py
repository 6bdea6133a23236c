"""What lies between the services and the world: one link before each of NATS, Postgres, KIE and Telegram."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from testkit.links import Link, State
from testkit.ports import free_port, port_of

# By the setting that says where each is; a bot goes past them.
NATS, POSTGRES, KIE, TELEGRAM = "NATS_URL", "DATABASE_URL", "KIE_API_URL", "TELEGRAM_API_URL"
ALL: Final = (NATS, POSTGRES, KIE, TELEGRAM)
LINE_END: Final = b"\r\n"


class Words:
    """Has NATS say something of its own accord, once to each connection there is."""

    def __init__(self) -> None:
        self.spoken = b""
        self.times = 0
        self.heard = 0  # how many connections have, of what was said last

    def say(self, *errors: str) -> None:
        """Say these errors before whatever a connection hears next."""
        self.spoken = b"".join(f"-ERR '{error}'\r\n".encode() for error in errors)
        self.times += 1
        self.heard = 0

    def __call__(self) -> "_Hearing":
        """Return what one connection hears."""
        return _Hearing(self)


class _Hearing:
    def __init__(self, words: Words) -> None:
        self._words = words
        self._heard = words.times
        self._is_between = False  # two frames, and not within one

    def asks(self, chunk: bytes) -> None:
        """Nothing of it matters."""

    def answers(self, chunk: bytes) -> bytes:
        says = self._is_between and self._heard < self._words.times
        self._is_between = chunk.endswith(LINE_END)
        if not says:
            return chunk
        self._heard = self._words.times
        self._words.heard += 1
        return self._words.spoken + chunk


@dataclass(frozen=True, slots=True, kw_only=True)
class Wires:
    """The links by name; under a journal there is none to Postgres."""

    links: Mapping[str, Link]
    words: Words  # of NATS

    @asynccontextmanager
    async def gone(self, name: str, *, seconds: float) -> AsyncIterator[None]:
        """Have one away while the block runs, and for so many seconds after it."""
        link = self.links.get(name)
        if link is not None:
            await link.refuse()
        try:
            yield
            await asyncio.sleep(seconds)  # noqa: TID251 - the fault itself
        finally:
            if link is not None:
                await link.listen()

    @asynccontextmanager
    async def deaf(self, *names: str) -> AsyncIterator[None]:
        """Let what is asked pass, and no answer, until the block is left."""
        self._set(State.DEAF, *names)
        try:
            yield
        finally:
            self.hears(*names)

    def hears(self, *names: str) -> None:
        """Let answers pass again."""
        self._set(State.OPEN, *names)

    @asynccontextmanager
    async def slow(self, name: str, *, delay: float) -> AsyncIterator[None]:
        """Keep everything for so many seconds, both ways."""
        self._set(State.SLOW, name, delay=delay)
        try:
            yield
        finally:
            self.hears(name)

    def _set(self, state: State, *names: str, delay: float = 0.0) -> None:
        for name in self.links.keys() & names:
            self.links[name].set(state, delay=delay)


@asynccontextmanager
async def wired(told: Mapping[str, str]) -> AsyncIterator[tuple[Wires, dict[str, str]]]:
    """Return the links, and the same settings that lead through them."""
    words = Words()
    async with AsyncExitStack() as stack:
        links = {
            name: await stack.enter_async_context(
                Link(port_of(url), port=free_port(), robber=words if name == NATS else None)
            )
            for name, url in told.items()
            if name in ALL
        }
        through = {name: _through(told[name], link) for name, link in links.items()}
        yield Wires(links=links, words=words), {**told, **through}


def _through(url: str, link: Link) -> str:
    return url.replace(f":{port_of(url)}", f":{link.port}")
