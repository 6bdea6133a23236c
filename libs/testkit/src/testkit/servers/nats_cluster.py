"""Three embedded nats-servers that keep every stream together, with routes over loopback."""

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import aiohttp

from testkit.ports import LOOPBACK, free_port
from testkit.processes.service import PROBE_WITHIN, answers_ok
from testkit.processes.waiting import POLL
from testkit.servers.durability import Durability
from testkit.servers.nats import NatsServer

NODES: Final = 3  # of which two are a majority
HEALTHY_WITHIN: Final = 30.0  # seconds for an election, and for a node that was away to catch up


class NatsCluster:
    """Nodes that can be killed, frozen and started one by one; addresses and data stay."""

    def __init__(self, directory: Path, *, durability: Durability = Durability.POWER_LOSS) -> None:
        routes = [free_port() for _ in range(NODES)]
        self.nodes = tuple(
            NatsServer(
                directory / f"n{number}",
                durability=durability,
                more_config=_member(f"n{number}", listens=route, routes=routes),
            )
            for number, route in enumerate(routes, start=1)
        )

    @property
    def url(self) -> str:
        """The addresses of all nodes, separated by commas, as a client takes them."""
        return ",".join(node.url for node in self.nodes)

    def node(self, name: str) -> NatsServer:
        """The node of this name, as the server says it; KeyError for a stranger's."""
        return dict(zip(self.names, self.nodes, strict=True))[name]

    @property
    def names(self) -> tuple[str, ...]:
        """What the nodes call themselves."""
        return tuple(f"n{number}" for number in range(1, NODES + 1))

    async def start(self) -> None:
        """Start all and wait until they have a leader among them."""
        await asyncio.gather(*(node.start() for node in self.nodes))
        await self.until_healthy()

    async def until_healthy(self, *, within: float = HEALTHY_WITHIN) -> None:
        """Wait until every node says that it has caught up; TimeoutError when one does not."""
        patience = aiohttp.ClientTimeout(total=PROBE_WITHIN)
        async with aiohttp.ClientSession(timeout=patience) as client, asyncio.timeout(within):
            for node in self.nodes:
                while not await answers_ok(client, f"{node.monitor_url}/healthz"):
                    await asyncio.sleep(POLL)

    async def discard(self) -> None:
        """Kill all, and remove everything they kept."""
        await asyncio.gather(*(node.discard() for node in self.nodes))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Each alone on its way out would only hand its leaderships to the next.
        await self.discard()


def _member(name: str, *, listens: int, routes: list[int]) -> str:
    addresses = ", ".join(f'"nats://{LOOPBACK}:{port}"' for port in routes)
    return f"""\
server_name: {name}
cluster {{
  name: testkit
  listen: "{LOOPBACK}:{listens}"
  routes: [{addresses}]
}}
"""
