"""Moments at which a process may die, each by its name; `make crash` tries every one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from crash import trials
from crash.blows import Blow, killed_when
from crash.grounds import deployment
from crash.lives import BY_NAME
from crash.nursery import nursery_under_orders
from crash.points import all_points
from crash.stage import Stage
from crash.trials import Told, Trial
from testkit.telegram import Mode

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

EDIT = "deliverer.telegram.calls:Telegram.edit#1"
ALBUM = "deliverer.telegram.calls:Telegram.send#1"
BEGIN_AGAIN = "job_store.acknowledged:Acknowledged.begin_again#3"
TRIES = 3
FOR_EVER = 600.0  # seconds; the caller is dead long before


@pytest_asyncio.fixture
async def running(tmp_path: Path) -> AsyncIterator[Stage]:
    async with (
        nursery_under_orders(tmp_path) as born,
        deployment(tmp_path / "stage", born) as stage,
    ):
        yield stage


async def tried(running: Stage, trial: Trial) -> Told:
    """A busy machine may come to the point too late: then once more."""
    for _ in range(TRIES):
        (told,) = [one async for one in trials.run(running, [trial])]
        if told.reached:
            break
    return told


async def test_fault_41_43_a_deliverer_that_dies_before_its_call_or_after_the_reply(
    running: Stage,
) -> None:
    wanted = [
        Trial(life, (Blow("deliverer", point, when),))
        for point, life in ((EDIT, "edited"), (ALBUM, "sent"))
        for when in ("before", "after")
    ]
    assert {EDIT, ALBUM} <= all_points().keys()

    told = [await tried(running, trial) for trial in wanted]

    assert {one.trial: one.broken for one in told if one.broken} == {}
    assert [one.trial for one in told if not one.reached] == []
    assert await running.doctor() == []


def struck(running: Stage) -> bool:
    """Telegram has taken the call that it will not answer."""
    return any(times for _, _, times in running.telegram.faults.armed())


async def test_fault_42_a_deliverer_that_dies_after_the_bytes_left_and_before_the_reply(
    running: Stage,
) -> None:
    """Telegram has done it and says nothing: an edit is made again, a send ends as uncertain."""
    for method, life, uncertain in (("edit", "edited", 0), ("sendmediagroup", "sent", 2)):
        running.telegram.faults.plan(Mode.COMMIT_THEN_HANG, method, seconds=FOR_EVER)

        ended = await killed_when(running, "deliverer", BY_NAME[life], lambda: struck(running))

        running.telegram.faults.clear()
        assert ended is not None
        assert (list(ended.broken()), ended.uncertain) == ([], uncertain)
        (made,) = ended.ending.generations
        assert {seen.ever for seen in made.results} == {1}
    assert await running.doctor() == []


async def test_fault_59_a_job_store_that_dies_between_two_durables_of_the_way_back(
    running: Stage,
) -> None:
    """One is deleted, and nobody has made it again: whoever starts makes it where the backup was."""
    told = await tried(running, Trial("restored", (Blow("job_store", BEGIN_AGAIN, "before"),)))

    assert (told.reached, told.broken) == (True, ())
    assert await running.doctor() == []
