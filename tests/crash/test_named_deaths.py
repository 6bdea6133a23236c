"""The moments around a call of Telegram at which a process may die, each by its name; `make crash` tries every one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from crash import trials
from crash.blows import Blow, killed_when
from crash.lives import BY_NAME
from crash.nursery import nursery_under_orders
from crash.points import all_points
from crash.stage import Stage, stage
from crash.trials import Told, Trial
from testkit.telegram import Mode

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

EDIT = "deliverer.telegram.calls:Telegram.edit#1"
ALBUM = "deliverer.telegram.calls:Telegram.send#1"
TRIES = 3
FOR_EVER = 600.0  # seconds; the caller is dead long before


@pytest_asyncio.fixture
async def deployment(database_url: str, nats_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    async with (
        nursery_under_orders(tmp_path) as born,
        stage(
            database_url=database_url, nats_url=nats_url, directory=tmp_path, nursery=born
        ) as running,
    ):
        yield running


async def tried(deployment: Stage, trial: Trial) -> Told:
    """A busy machine may come to the point too late: then once more."""
    for _ in range(TRIES):
        (told,) = [one async for one in trials.run(deployment, [trial])]
        if told.reached:
            break
    return told


async def test_fault_41_43_a_deliverer_that_dies_before_its_call_or_after_the_reply(
    deployment: Stage,
) -> None:
    wanted = [
        Trial(life, (Blow("deliverer", point, when),))
        for point, life in ((EDIT, "edited"), (ALBUM, "sent"))
        for when in ("before", "after")
    ]
    assert {EDIT, ALBUM} <= all_points().keys()

    told = [await tried(deployment, trial) for trial in wanted]

    assert {one.trial: one.broken for one in told if one.broken} == {}
    assert [one.trial for one in told if not one.reached] == []
    assert await deployment.doctor() == []


def struck(deployment: Stage) -> bool:
    """Telegram has taken the call that it will not answer."""
    return any(times for _, _, times in deployment.telegram.faults.armed())


async def test_fault_42_a_deliverer_that_dies_after_the_bytes_left_and_before_the_reply(
    deployment: Stage,
) -> None:
    """Telegram has done it and says nothing: an edit is made again, a send ends as uncertain."""
    for method, life, uncertain in (("edit", "edited", 0), ("sendmediagroup", "sent", 2)):
        deployment.telegram.faults.plan(Mode.COMMIT_THEN_HANG, method, seconds=FOR_EVER)

        ended = await killed_when(
            deployment, "deliverer", BY_NAME[life], lambda: struck(deployment)
        )

        deployment.telegram.faults.clear()
        assert ended is not None
        assert (list(ended.broken()), ended.uncertain) == ([], uncertain)
        (made,) = ended.ending.generations
        assert {seen.ever for seen in made.results} == {1}
    assert await deployment.doctor() == []
