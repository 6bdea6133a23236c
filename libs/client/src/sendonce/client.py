"""SendOnce: every door a bot has into sendonce, one method each."""

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from sendonce.asking import Asker, seconds
from sendonce.history import History
from sendonce.jobs import Jobs
from sendonce.link import Address, Link
from sendonce.orders import servers, slug
from sendonce.wallets import Wallets
from sendonce.wire import Wire

DEADLINE = 15.0  # s; outlasts a restart of job-store or NATS, and a user still waits


class SendOnce(Jobs, Wallets, History):
    """One bot's connection to sendonce.

    Use it as ``async with SendOnce(url, bot="shop") as sendonce:``, or call `connect` and `close`.
    Methods may run side by side. Each keeps asking, with the same key, until it is answered or its
    deadline passes: a restart is a slow answer. Money is always an int of minor units.

    Every method raises:
        InvalidRequest: the arguments cannot be a request; nothing was sent.
        UnknownBot: no bot of this name is registered.
        Unavailable: no answer until the deadline; asking again with the same key never acts twice.
        DeadlinePassed: the server read it too late; mostly the bot's clock is behind.
        NotConnected: called before `connect` or after `close`.
    Each method names its further refusals; all but `NotConnected` are `SendOnceError`.
    """

    def __init__(
        self,
        nats_url: str | Sequence[str],
        bot: str = "default",
        creds: str | Path | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        deadline: float = DEADLINE,
    ) -> None:
        """Remember where to connect; nothing is sent yet.

        Args:
            nats_url: ``nats://host:4222``; several of one cluster as a list or joined by commas.
                User and password may stand in it.
            bot: the bot's name as registered with ``sendonce bots add``.
            creds: path of the file NATS lets this bot in by: the seed of an nkey, or a ``.creds`` file.
            tls: for servers whose certificate the system does not know, or that ask for ours.
            deadline: seconds each method keeps asking unless it is given its own `timeout`.

        Raises:
            InvalidRequest: no address, a bot name that cannot be one, or a deadline that is none.
        """
        address = Address(servers=servers(nats_url), bot=slug(bot), creds=creds, tls=tls)
        self._speak(Link(address), bot=bot, deadline=deadline)

    def _speak(self, wire: Wire, *, bot: str, deadline: float) -> None:
        self.bot = slug(bot)
        self._deadline = seconds(deadline)
        self._wire = wire
        self._asker = Asker(wire, bot=self.bot, deadline=self._deadline)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(bot={self.bot!r})"

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def connect(self, *, timeout: float | None = None) -> None:
        """Connect to NATS, trying for `timeout` seconds; harmless when connected already.

        Raises:
            Unavailable: NATS is away or does not accept the credentials.
        """
        await self._wire.open(within=self._deadline if timeout is None else seconds(timeout))

    async def close(self) -> None:
        """Disconnect; every `events` loop ends. Harmless when repeated."""
        await self._wire.close()
