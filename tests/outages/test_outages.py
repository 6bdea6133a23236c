"""Whatever is away for longer than every lease: nobody ends, and all is done when it is back."""

from pathlib import Path

import pytest

from nursery import nursery
from outages.absences import ABSENCES, Absence
from outages.run import outage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

SHORT = 9.0  # seconds; longer than the short leases
# One way for each dependency, with leases cut short.
IN_EVERY_RUN = ("nats-killed", "postgres-frozen", "kie-refuses", "telegram-hangs")


@pytest.mark.parametrize(
    "absence",
    [pytest.param(one, id=one.name) for one in ABSENCES if one.name in IN_EVERY_RUN],
)
async def test_fault_04_28_45_54_57_an_outage_longer_than_every_lease_costs_nothing_but_time(
    absence: Absence, tmp_path: Path
) -> None:
    async with nursery(tmp_path, short=True) as born:
        told = await outage(absence, tmp_path, seconds=SHORT, nursery=born)

    assert told.wrong == {}
    assert told.verdict.delivered > 0
