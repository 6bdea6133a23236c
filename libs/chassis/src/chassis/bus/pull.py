"""Pulling a durable: hands over what is there at once, and stays calm when there is no server."""

import json
import time
from typing import Protocol

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import Header

from chassis import clock

log = structlog.get_logger()

PAUSE = 0.1  # seconds between pulls that are refused at once; also the wait while disconnected
ANSWER_SLACK = 0.25  # seconds past a pull's expiry until its silence means it was lost

_NOTHING_THERE = {"404", "408"}


class Ending(Protocol):
    """What of nats-py's own pull subscription still needs ending."""

    async def unsubscribe(self) -> None:
        """End the subscription."""
        ...


class SteadyPull:
    """Stands in for nats-py's pull subscription inside FastStream's consume loop.

    The plain one holds a lone message back for up to its whole timeout, and returns without
    awaiting when the consumer is deleted (a core at 100 %, nothing logged) or the connection
    closed (the event loop frozen). This one waits only for a first message, pauses when it is
    refused, and reports each kind of trouble once.
    """

    def __init__(
        self, client: Client, inbox: Subscription, *, stream: str, durable: str, patience: float
    ) -> None:
        """Made by `open_pull`."""
        self._plain: Ending | None = None
        self._client = client
        self._inbox = inbox
        self._durable = durable
        self._patience = patience
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._number = 0
        self._closing = False
        self._trouble: str | None = None

    def replaces(self, plain: Ending | None) -> None:
        """Take the place of the plain subscription, and end it together with this one."""
        self._plain = plain

    async def fetch(
        self,
        batch: int = 1,
        timeout: float | None = None,  # noqa: ARG002 - what FastStream calls it with
    ) -> list[Msg]:
        """Return what is there, else wait for the first message; empty when none came in time.

        The time is that of `open_pull`; `timeout` is FastStream's, for whole batches.
        """
        if self._closing or not self._client.is_connected:
            return await self._pause(None if self._closing else "disconnected")
        try:
            # Late: messages of a pull that was given up before they came.
            messages = await self._late() or await self._pull(batch, self._patience)
            if not self._closing:
                return messages
            await self._give_back(messages)
        except (nats.errors.Error, OSError) as problem:
            return await self._pause(repr(problem))
        return []

    def close(self) -> None:
        """Hand over nothing more; what still comes is given back for another replica."""
        self._closing = True

    async def unsubscribe(self) -> None:
        """End the subscriptions; without a connection there is nobody to tell."""
        self.close()
        if self._client.is_connected:
            await self._give_back(await self._late())
            await self._inbox.unsubscribe()
            if self._plain is not None:
                await self._plain.unsubscribe()

    async def _give_back(self, messages: list[Msg]) -> None:
        for msg in messages:
            await msg.nak()

    async def _late(self) -> list[Msg]:
        late: list[Msg] = []
        while self._inbox.pending_msgs:
            msg = await self._inbox.next_msg(timeout=PAUSE)
            if _status(msg) is None:
                late.append(msg)
        return late

    async def _pull(self, batch: int, seconds: float) -> list[Msg]:
        self._number += 1
        reply = self._inbox.subject.removesuffix("*") + str(self._number)
        # With both, the server waits until expiry for a first message, then sends what it has.
        ask = {"batch": batch, "expires": int(seconds * 1e9), "no_wait": True}
        await self._client.publish(self._next, json.dumps(ask).encode(), reply=reply)
        until = time.monotonic() + seconds + ANSWER_SLACK
        messages: list[Msg] = []
        while len(messages) < batch:
            try:
                msg = await self._inbox.next_msg(timeout=max(0.001, until - time.monotonic()))
            except TimeoutError:
                # A lost pull, or a server that hangs, which the watchdog notices.
                return messages
            status = _status(msg)
            if status is None:
                messages.append(msg)
            elif msg.subject == reply:  # the end of this pull, not of an earlier one
                # Ended before its time and empty: asking again at once would be a hot loop.
                early = time.monotonic() < until - ANSWER_SLACK - PAUSE
                return await self._ended(msg, messages, early=early)
        self._note(None)
        return messages

    async def _ended(self, end: Msg, messages: list[Msg], *, early: bool) -> list[Msg]:
        status = _status(end)
        described = (end.headers or {}).get(Header.DESCRIPTION, "")
        trouble = None if status in _NOTHING_THERE else f"{status} {described}".strip()
        if messages or not early:
            self._note(trouble)
            return messages
        return await self._pause(trouble)

    async def _pause(self, trouble: str | None) -> list[Msg]:
        self._note(trouble)
        await clock.SYSTEM.sleep(PAUSE)
        return []

    def _note(self, trouble: str | None) -> None:
        if trouble == self._trouble:
            return
        self._trouble = trouble
        if trouble is None:
            log.info("fetch.recovered", durable=self._durable)
        else:
            log.warning("fetch.troubled", durable=self._durable, trouble=trouble)


async def open_pull(client: Client, *, stream: str, durable: str, patience: float) -> SteadyPull:
    """Subscribe an inbox for the pulls of one durable; each waits `patience` seconds at most."""
    # A pull asks for a bounded number, so the client's own limits would only drop messages.
    inbox = await client.subscribe(
        f"{client.new_inbox()}.*", pending_msgs_limit=0, pending_bytes_limit=0
    )
    return SteadyPull(client, inbox, stream=stream, durable=durable, patience=patience)


def _status(msg: Msg) -> str | None:
    return msg.headers.get(Header.STATUS) if msg.headers and not msg.data else None
