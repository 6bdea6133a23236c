"""Two replicas of each service, each of one version at a time: replaced as an orchestrator does."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testkit.ports import LOOPBACK, free_port
from testkit.processes import ServiceProcess, ServiceSpec
from upgrade.versions import Version

SERVICES: Final = ("job-store", "callback-gateway", "submitter", "deliverer", "reconciler")
NUMBERS: Final = (1, 2)
READY_WITHIN: Final = 120.0  # seconds; ten Pythons starting side by side on a small machine
STOPS_WITHIN: Final = 40.0  # seconds; longer than any drain, so that who is killed has not listened
WORK: Final = b"job_id"  # stands in every line about a job

Told = Callable[[Version], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Replica:
    """A name that stays, whoever bears it: `deliverer-2`."""

    service: str
    number: int

    def __str__(self) -> str:
        return f"{self.service}-{self.number}"


ALL: Final = tuple(Replica(service, number) for number in NUMBERS for service in SERVICES)


class Replicas:
    """All ten; `told` says what a version is told, the same for each of its services."""

    def __init__(self, told: Told, *, gateways: Mapping[int, int], logs: Path) -> None:
        self._told = told
        self._gateways = gateways  # port by number
        self._logs = logs
        self._ports = {each: free_port() for each in ALL}
        self.processes: dict[Replica, ServiceProcess] = {}
        self.versions: dict[Replica, Version] = {}
        self.replaced = 0
        self.bad_ends: list[str] = []

    async def start(self, version: Version) -> None:
        """Start all of one version and wait until they are ready."""
        for each in ALL:
            self._spawn(each, version)
        await asyncio.gather(*(self.processes[each].wait_ready() for each in ALL))

    async def replace(self, replica: Replica, version: Version) -> None:
        """SIGTERM, wait for the exit, start the other version in its place, wait until it is ready."""
        await self._end(replica)
        self._spawn(replica, version)
        await self.processes[replica].wait_ready()
        self.replaced += 1

    async def stop(self) -> None:
        """End all; the judge of everything last, so that nothing is left half told."""
        judges = [each for each in self.processes if each.service == "job-store"]
        others = [each for each in self.processes if each not in judges]
        for turn in (others, judges):
            await asyncio.gather(*map(self._end, turn))

    def worked(self) -> dict[Replica, int]:
        """Return how many lines about jobs each has written, in all its lives."""
        return {
            each: sum(log.read_bytes().count(WORK) for log in self._logs.glob(f"{each}.*.log"))
            for each in self.processes
        }

    def at_work(self) -> Counter[str]:
        """Return how many replicas each version has."""
        return Counter(version.name for version in self.versions.values())

    async def _end(self, replica: Replica) -> None:
        process = self.processes[replica]
        was_running = process.running
        await process.stop(within=STOPS_WITHIN)
        if not was_running or process.exit_code != 0:
            version = self.versions[replica].name
            why = "ended with" if was_running else "had ended by itself with"
            self.bad_ends.append(f"{replica} of {version} {why} {process.exit_code}")

    def _spawn(self, replica: Replica, version: Version) -> None:
        health = self._ports[replica]
        own = {"HEALTH_PORT": str(health), "GATEWAY_PORT": str(self._gateways[replica.number])}
        process = ServiceProcess(
            ServiceSpec(
                name=f"{replica} of {version.name}",
                command=version.module(replica.service.replace("-", "_")),
                log=self._logs / f"{replica}.{version.name}.log",
                env=version.environment({**self._told(version), **own}),
                ready_url=f"http://{LOOPBACK}:{health}/readyz",
                ready_within=READY_WITHIN,
            )
        )
        process.spawn()
        self.processes[replica], self.versions[replica] = process, version
