"""Everything ends at the same moment and comes back, in no order that anybody planned."""

import asyncio
from pathlib import Path

import pytest

from deployment import eventually
from ensemble import Ensemble, troubles
from nursery import nursery
from outages.run import scene

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

JOBS, EVERY = 60, 0.15
TTL = "40"  # seconds; a submission that nobody can know about ends then


async def in_every_stage(running: Ensemble) -> bool:
    """Some jobs are over, and others have only begun."""
    beat = await running.pulse.look()
    return beat.ended >= 5 and beat.jobs - beat.ended >= 5


async def test_fault_56_everything_killed_at_once_and_started_at_once(tmp_path: Path) -> None:
    settings = {"JOB_TTL_SECONDS": TTL}
    async with (
        nursery(tmp_path, short=True) as born,
        scene(tmp_path, jobs=JOBS, settings=settings, nursery=born) as on,
    ):
        running = on.running
        async with running.load(every=EVERY) as asking:
            await eventually(lambda: in_every_stage(running), within=30)
            assert not asking.done()
            servers, services = (on.nats, on.postgres), running.services.values()
            await asyncio.gather(*(each.kill() for each in (*servers, *services)))
            await asyncio.gather(*(each.start() for each in (*services, *servers)))
        await running.settled(within=120)
        verdict = await running.verdict()

    assert troubles(verdict) == {}
    assert verdict.shown_once == verdict.delivered > 0
    assert verdict.jobs == JOBS
