"""Two steady callers that show for how long a bus could not be written: one stores, one calls back."""

import asyncio
import json
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise
from uuid import uuid4

import aiohttp
import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import Error as JetStreamError

EVERY = 0.05  # seconds between two calls
PUBACK_WITHIN = 1.0  # seconds; a longer wait would be seen as a longer gap than there was
ANSWER_WITHIN = 12.0  # seconds; the gateway itself gives up after eight
SUBJECT = "orphans.probed"  # of the stream JOBS, which no service of ours reads


@dataclass(kw_only=True)
class Probe:
    """When calls succeeded, and what else they came to."""

    succeeded: list[float] = field(default_factory=list)  # monotonic seconds
    refused: dict[str, int] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)  # SHA-256 of each body answered 200

    def gap(self, *, since: float, until: float = math.inf) -> float:
        """Longest time between two successes in a span, the last one before it included."""
        before = [at for at in self.succeeded if at <= since][-1:]
        times = before + [at for at in self.succeeded if since < at <= until]
        return max(later - at for at, later in pairwise(times))

    def first(self, *, since: float) -> float:
        """When the first call after this moment succeeded."""
        return next(at for at in self.succeeded if at > since)

    async def go_on(self, call: Callable[[], Awaitable[str | None]]) -> None:
        """Call until cancelled; a call returns why it was refused."""
        while True:
            refusal = await call()
            if refusal is None:
                self.succeeded.append(time.monotonic())
            else:
                self.refused[refusal] = self.refused.get(refusal, 0) + 1
            await asyncio.sleep(EVERY)  # noqa: TID251 - the rate of the prober


async def stores(jetstream: JetStreamContext) -> str | None:
    """Publish one message and wait for its PubAck."""
    try:
        await jetstream.publish(SUBJECT, b"{}", timeout=PUBACK_WITHIN)
    except (nats.errors.Error, JetStreamError, TimeoutError, OSError) as refusal:
        return type(refusal).__name__
    return None


async def calls_back(session: aiohttp.ClientSession, url: str, probe: Probe) -> str | None:
    """Post one callback of a task nobody knows; it must be kept when it is answered 200."""
    task = {"taskId": f"probe-{uuid4().hex}", "state": "generating"}
    body = json.dumps({"code": 200, "data": task}).encode()
    try:
        async with session.post(
            url,
            data=body,
            headers={"Content-Type": "application/json"},
            timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN),
        ) as answer:
            if answer.status != 200:
                return str(answer.status)
            probe.accepted.add(sha256(body).hexdigest())
            return None
    except (aiohttp.ClientError, TimeoutError) as refusal:
        return type(refusal).__name__
