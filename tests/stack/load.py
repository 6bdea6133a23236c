"""A trial that runs beside what is done to a deployment, and what must be said of it in the end."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from deployment import eventually
from stack.engine import Stack

JOBS: Final = 200
OPEN: Final = re.compile(r"asked (\d+)/\d+ +running (\d+) +delivering (\d+)")
ENOUGH: Final = 20  # open jobs that are still a load
WITHIN: Final = 900  # seconds; a job whose task nobody can know of expires in it

Figures = dict[str, Any]


class Broken(AssertionError):
    """A promise was not kept, or nothing was shown."""


@dataclass(slots=True)
class Load:
    """A trial that runs: how far it is, and in the end its verdict."""

    asked: int = 0
    open: int = 0
    is_over: bool = False
    verdict: Figures = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def hear(self, line: str) -> None:
        """Read how far it is."""
        self.said.append(line)
        if (found := OPEN.search(line)) is not None:
            self.asked, self.open = int(found[1]), int(found[2]) + int(found[3])

    @property
    def is_on(self) -> bool:
        """Claim that there is enough to do for a blow to hit something."""
        return not self.is_over and (self.asked < JOBS or self.open >= ENOUGH)

    def __str__(self) -> str:
        """Say how far it is."""
        return f"asked {self.asked}, open {self.open}"


@asynccontextmanager
async def load(stack: Stack, *, seed: int) -> AsyncIterator[Load]:
    """Have a trial run beside the block; after it the verdict is there, and nothing was lost or doubled."""
    running = Load()

    async def trial() -> None:
        wanted = {"jobs": JOBS, "faults": "light", "seed": seed, "within": WITHIN}
        options = [part for name, value in wanted.items() for part in (f"--{name}", str(value))]
        it = await stack.typed("trial", *options, "--json", heard=running.hear)
        running.is_over = True
        if not it.out.strip():
            raise Broken(f"the trial said nothing: {it.err[-4000:]}")
        told = json.loads(it.out.splitlines()[-1])
        ended = told["succeeded"] + told["failed_by_provider"] + told["lost"]
        running.verdict = {**told, "expired": told["jobs"] - ended, "exit_code": it.code}

    async with asyncio.TaskGroup() as group:
        group.create_task(trial())
        yield running
    must_be_clean(running)


def must_be_clean(running: Load) -> None:
    """Raise unless every promise was kept."""
    told = running.verdict
    wrong = {
        name: told[name] for name in ("exit_code", "lost", "shown_twice", "uncertain") if told[name]
    }
    if wrong or not told["ledger_balanced"] or told["jobs"] != JOBS:
        raise Broken(f"{wrong}: {told}\n" + "\n".join(running.said[-60:]))


async def until_on(running: Load) -> None:
    """Wait until jobs are asked for."""

    async def asks() -> bool:
        return running.asked > 0 or running.is_over

    await eventually(asks, within=60)
