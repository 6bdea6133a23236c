"""Sending nonsense to running services, and looking at what became of it."""

import asyncio
import json
import re
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any, Final
from uuid import UUID

import asyncpg
import nats.errors
from pydantic import ValidationError

from chassis import metrics
from contracts import streams
from contracts.refusals import ErrorReply, RefusalName
from deployment import Deployment
from fuzz import hostile, speech
from fuzz.speech import Spoken

BOT: Final = "default"
ATTEMPT: Final = "019ab5c0-0000-7000-8000-000000000002"  # of the samples
LINK: Final = re.compile(rb"https?://[^/\"]+")
# Tables a refused request must leave as they are; the others move by their own clocks.
KEPT: Final = (
    "bots", "jobs", "parts", "carriers", "attempts", "evidence", "tasks", "task_owners", "orphans",
    "reports", "wallets", "ledger", "events",
)  # fmt: skip
ANSWER: Final = 10.0  # seconds a verb may take, also while all of them are asked at once


@dataclass(frozen=True, slots=True)
class Sent:
    """A mutant on its way, and whether its reader can read it."""

    to: Spoken
    raw: bytes
    seq: int
    readable: bool


def sample(spoken: Spoken, victim: dict[str, str], deployment: Deployment, dice: Random) -> bytes:
    """Return a valid message: about nothing that exists, or about what does."""
    raw = speech.fresh(dice.choice(speech.samples_of(spoken.read_as)))
    raw = LINK.sub(deployment.kie.url.encode(), raw)
    # An attempt that is being handled makes its other messages wait for half a minute, rightly.
    raw = raw.replace(ATTEMPT.encode(), str(UUID(int=dice.getrandbits(128))).encode())
    if dice.random() < 0.5:
        for unknown, known in victim.items():
            raw = raw.replace(unknown.encode(), known.encode())
    return raw


def renamed(raw: bytes, dice: Random) -> bytes:
    """Give a readable message an id of its own: a repetition would be deduplicated, not read."""
    try:
        message = json.loads(raw)
    except (ValueError, RecursionError):
        return raw
    if isinstance(message, dict) and isinstance(message.get("id"), str) and message["id"].isascii():
        message["id"] = f"{message['id'][:60]}:{dice.getrandbits(64):x}"
        return json.dumps(message).encode()
    return raw


async def publish(deployment: Deployment, to: Spoken, raw: bytes, dice: Random) -> Sent | None:
    """Publish a mutant; None when the bus itself refused it, or knew its id."""
    headers = hostile.headers(dice)
    try:
        reply = await deployment.client.request(to.address, raw, timeout=5, headers=headers)
    except (nats.errors.Error, ValueError):
        return None
    ack = json.loads(reply.data)
    if "error" in ack or ack.get("duplicate"):
        return None
    return Sent(to, raw, ack["seq"], reads(to, raw))


def reads(to: Spoken, raw: bytes) -> bool:
    """Tell whether the class itself reads it."""
    try:
        to.read_as.model_validate_json(raw)
    except ValidationError:
        return False
    return True


async def ask(deployment: Deployment, to: Spoken, raw: bytes, dice: Random) -> bytes:
    """Ask a mutant of a question; its answer, whatever it is. No answer is an error."""
    try:
        headers = {
            name: value for name, value in hostile.headers(dice).items() if name[:4] != "Nats"
        }
        reply = await deployment.client.request(to.address, raw, timeout=ANSWER, headers=headers)
    except (nats.errors.Error, TimeoutError) as silence:
        raise AssertionError(f"{to.address} did not answer {raw[:300]!r}") from silence
    return reply.data


def refusal(to: Spoken, raw: bytes, answer: bytes) -> RefusalName | None:
    """Return the refusal; None for an answer that the table of contracts names for this verb."""
    said = json.loads(answer)
    if "error" in said:
        code = ErrorReply.model_validate_json(answer).error.code
        known = reads(to, raw)
        assert known or code is RefusalName.INVALID_REQUEST, (to.address, raw[:300], answer)
        # `unavailable` asks for a repetition: said of what can never be, it would loop for ever.
        assert code is not RefusalName.UNAVAILABLE, (to.address, raw[:600], answer)
        return code
    views = [view for view in to.answers if view is not ErrorReply]
    assert any(_fits(view, answer) for view in views), (to.address, answer[:300])
    return None


def _fits(view: type[Any], answer: bytes) -> bool:
    try:
        view.model_validate_json(answer)
    except ValidationError:
        return False
    return True


async def at_rest(deployment: Deployment, *, within: float) -> None:
    """Wait until no message waits for a reader or for its verdict; names the readers otherwise."""
    waiting: dict[str, tuple[int, int]] = {}

    async def all_read() -> bool:
        js = deployment.client.jetstream()
        infos = [await js.consumer_info(one.stream, one.durable) for one in streams.CONSUMERS]
        waiting.clear()
        waiting.update(
            {
                info.name: (info.num_pending or 0, info.num_ack_pending or 0)
                for info in infos
                if info.num_pending or info.num_ack_pending
            }
        )
        return not waiting

    try:
        await deployment.eventually(all_read, within=within)
    except TimeoutError as unrest:
        raise AssertionError(f"(unread, unsettled) of each: {waiting}") from unrest


async def state(connection: asyncpg.Connection) -> dict[str, str]:
    """Return a digest of every table that a refused request must not change."""
    return {
        table: await connection.fetchval(
            f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM sendonce.{table} t"
        )
        for table in KEPT
    }


def failures() -> Counter[str]:
    """Count the messages that met a bug so far, by durable: they come again, ever later."""
    found: Counter[str] = Counter()
    for family in metrics.REGISTRY.collect():
        for one in family.samples:
            if one.name == "sendonce_messages_handled_total" and one.labels["outcome"] == "failed":
                found[one.labels["durable"]] += int(one.value)
    return found


async def together(calls: list[Any], *, at_once: int = 32) -> list[Any]:
    """Run calls side by side, so many at once, and return what they say."""
    slots = asyncio.Semaphore(at_once)

    async def one(call: Any) -> Any:
        async with slots:
            return await call

    return list(await asyncio.gather(*(one(call) for call in calls)))
