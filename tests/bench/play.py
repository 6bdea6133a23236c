"""Starts the doubles as processes and asks them what they saw."""

import asyncio
import json
import sys
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

import aiohttp

import bench
from bench.doubles.load import Posted
from testkit.ports import LOOPBACK, free_port
from testkit.processes import ServiceProcess, ServiceSpec, python_module
from testkit.processes.service import environment

LOOK_EVERY: Final = 0.05  # seconds; each look costs the double what twenty calls cost it
CODE: Final = str(Path(bench.__file__).parents[1])


class TooSlow(TimeoutError):
    """Something expected did not come in time; the message counts what did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """One callback ready to be posted."""

    mark: str
    path: str
    body: str
    headers: dict[str, str]


class Double:
    """A double on a port of its own."""

    def __init__(self, module: str, *arguments: str, logs: Path, ready: str) -> None:
        """`ready` is an address that answers 200."""
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        name = module.replace(".", "-")
        self.process = ServiceProcess(
            ServiceSpec(
                name=name,
                command=python_module(module, "--port", str(self.port), *arguments),
                log=logs / f"{name}-{self.port}.log",
                env=with_code({}),
                ready_url=self.url + ready,
            )
        )

    async def asked(self, path: str) -> object:
        """What it answers, read as JSON."""
        async with aiohttp.ClientSession() as client, client.get(self.url + path) as answer:
            return json.loads(await answer.read())


class Screen:
    """The Telegram double as the bench reads it: when did which result stand in a chat."""

    def __init__(self, double: Double) -> None:
        """Made by whoever started it."""
        self.double = double

    @property
    def url(self) -> str:
        """Root of the Bot API."""
        return self.double.url

    async def shown(self) -> dict[str, float]:
        """When each mark was first shown."""
        found = await self.double.asked("/shown")
        if not isinstance(found, dict):
            raise TypeError(found)
        return {str(mark): float(at) for mark, at in found.items()}

    async def counts(self) -> dict[str, int]:
        """How many results, and calls by method."""
        found = await self.double.asked("/counts")
        if not isinstance(found, dict):
            raise TypeError(found)
        return {str(name): int(count) for name, count in found.items()}

    async def until_shown(
        self, marks: Collection[str], *, more: int, within: float
    ) -> dict[str, float]:
        """When each of these was shown, once all are; `more` results were there before."""
        deadline = monotonic() + within
        while (seen := (await self.counts())["shown"]) < more + len(marks):
            if monotonic() > deadline:
                raise TooSlow(f"{seen - more} of {len(marks)} results shown within {within:g} s")
            await asyncio.sleep(LOOK_EVERY)  # noqa: TID251 - the rate of looking
        shown = await self.shown()
        return {mark: shown[mark] for mark in marks}


async def post(
    prepared: Sequence[Prepared],
    url: str,
    *,
    connections: int,
    rate: float | None = None,
    workplace: Path,
) -> list[Posted]:
    """Have the load generator post these, in a process of its own."""
    plan, out = workplace / "plan.jsonl", workplace / "posted.jsonl"
    plan.write_text("\n".join(json.dumps(asdict(one)) for one in prepared), "utf-8")
    to = urlsplit(url)
    paced = ("--rate", str(rate)) if rate else ()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.doubles.load", str(plan), str(out)),
        *("--port", str(to.port), "--connections", str(connections), *paced),
        env=environment(with_code({})),
    )
    if await process.wait():
        raise RuntimeError("the load generator failed; its words stand above")
    posted = [Posted(**json.loads(line)) for line in out.read_text("utf-8").splitlines()]
    refused = [one for one in posted if one.status != 200]
    if refused:
        raise RuntimeError(f"{len(refused)} callbacks refused, the first with {refused[0].status}")
    return posted


def with_code(env: dict[str, str]) -> dict[str, str]:
    """Let a child find this package, whoever started us."""
    inherited = environment({}).get("PYTHONPATH", "")
    path = [CODE, *(part for part in inherited.split(":") if part and part != "tests")]
    return {**env, "PYTHONPATH": ":".join(path)}
