"""Who leads a stream or a durable in a cluster, and making it step down."""

import json
from collections.abc import AsyncIterator

from nats.aio.client import Client

from contracts import streams
from deployment import eventually

ANSWERS_WITHIN = 2.0  # seconds
ELECTED_WITHIN = 20.0


async def leader_of(client: Client, stream: str, durable: str = "") -> str | None:
    """The name of the node that leads, None while nobody does."""
    asked = f"CONSUMER.INFO.{stream}.{durable}" if durable else f"STREAM.INFO.{stream}"
    try:
        reply = await client.request(f"$JS.API.{asked}", timeout=ANSWERS_WITHIN)
    except Exception:  # noqa: BLE001 - nobody leads: no answer, an answer that says so, no link
        return None
    leader: str | None = json.loads(reply.data).get("cluster", {}).get("leader")
    return leader


async def step_down(
    client: Client, stream: str, durable: str = "", *, for_whom: str | None = None
) -> None:
    """Make the leader give up, if possible for the node of this name."""
    kind, name = ("CONSUMER", f"{stream}.{durable}") if durable else ("STREAM", stream)
    wish = {"placement": {"preferred": for_whom}} if for_whom else {}
    reply = await client.request(
        f"$JS.API.{kind}.LEADER.STEPDOWN.{name}",
        json.dumps(wish).encode(),
        timeout=ANSWERS_WITHIN,
    )
    assert json.loads(reply.data)["success"], reply.data


async def moved(client: Client) -> AsyncIterator[tuple[str, str, str]]:
    """Make the leader of every stream and durable step down, one by one: name, before, after."""
    places = [(stream.name, "") for stream in streams.STREAMS]
    places += [(durable.stream, durable.durable) for durable in streams.CONSUMERS]
    for stream, durable in places:
        before = await elected(client, stream, durable)
        await step_down(client, stream, durable)
        yield f"{stream} {durable}".strip(), before, await elected(client, stream, durable)


async def elected(client: Client, stream: str, durable: str = "", *, other_than: str = "") -> str:
    """Wait until a node leads, and return its name."""

    async def leads() -> str | None:
        leader = await leader_of(client, stream, durable)
        return None if leader == other_than else leader

    return await eventually(leads, within=ELECTED_WITHIN)
