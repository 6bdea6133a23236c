"""How soon the work goes on: after a kill of any one service, and after a server has come back."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import pytest

from chaos.recoveries import deeds_of
from deployment import eventually
from ensemble import SERVICES, troubles
from outages.run import scene

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

AFTER_A_KILL: Final = 10.0  # seconds from the kill to the next deed; the start of a Python is in it
AFTER_A_RETURN: Final = 5.0  # seconds from the moment the server takes connections
AWAY: Final = 2.0  # seconds
EVERY: Final = 0.2  # seconds between two jobs
PLENTY: Final = 2_000  # errands; the load ends with the last measurement
# A submitter that is killed between permission and call leaves a job nobody can know of: it ends in the test.
SETTINGS: Final = {"JOB_TTL_SECONDS": "60"}
GIVEN_UP: Final = 60.0  # seconds; then it is not slow but dead


async def seconds_to_the_next_deed(
    deed: Callable[[], int], *, away: Callable[[], Awaitable[None]]
) -> float:
    """Measure from the moment ``away`` has returned; nothing done before it counts."""
    await away()
    began, before = time.monotonic(), deed()

    async def is_done() -> bool:
        return deed() > before

    await eventually(is_done, within=GIVEN_UP)
    return time.monotonic() - began


async def test_work_goes_on_soon_after_a_kill_and_after_a_return(tmp_path: Path) -> None:
    took: dict[str, float] = {}
    async with scene(tmp_path, jobs=PLENTY, settings=SETTINGS) as on:
        running = on.running
        deeds = deeds_of(running.kie, running.telegram)

        async def killed(name: str) -> None:
            await running.services[name].kill()
            running.services[name].spawn()

        async def returned(server: str) -> None:
            it = on.nats if server == "nats" else on.postgres
            await it.kill()
            await asyncio.sleep(AWAY)  # noqa: TID251 - the fault itself
            await it.start()

        async with running.load_meanwhile(every=EVERY):
            for name in SERVICES:
                await eventually_moves(deeds[name.replace("_", "-")])
                took[name] = await seconds_to_the_next_deed(
                    deeds[name.replace("_", "-")], away=lambda name=name: killed(name)
                )
            for server in ("nats", "postgres"):
                await eventually_moves(deeds[server])
                took[server] = await seconds_to_the_next_deed(
                    deeds[server], away=lambda server=server: returned(server)
                )
        await running.settled(within=120)
        verdict = await running.verdict()

    assert troubles(verdict) == {}
    print({name: round(seconds, 1) for name, seconds in took.items()})  # noqa: T201 - seen with -s
    bounds = dict.fromkeys(SERVICES, AFTER_A_KILL) | dict.fromkeys(
        ("nats", "postgres"), AFTER_A_RETURN
    )
    late = {name: seconds for name, seconds in took.items() if seconds > bounds[name]}
    assert late == {}, took


async def eventually_moves(deed: Callable[[], int]) -> None:
    """Wait until the deed is done now: what is measured next is no slow start."""
    before = deed()

    async def is_done() -> bool:
        return deed() > before

    await eventually(is_done, within=GIVEN_UP)
