"""The demo keeps its promise, and says so in one object."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from sendonce_cli.demo.errands import Door, draw, users_of
from sendonce_cli.demo.options import Faults
from sendonce_cli.demo.verdict import PRINTED
from testkit.kie import CreateAnswer

LONGEST = 150


def test_the_same_seed_draws_the_same_errands() -> None:
    first = draw(jobs=50, faults=Faults.LIGHT, seed=7)

    assert first == draw(jobs=50, faults=Faults.LIGHT, seed=7)
    assert first != draw(jobs=50, faults=Faults.LIGHT, seed=8)


@pytest.mark.parametrize("faults", list(Faults))
def test_one_job_in_ten_fails_at_the_provider(faults: Faults) -> None:
    errands = draw(jobs=200, faults=faults, seed=1)

    assert sum(errand.plan.fails for errand in errands) == 20


def test_without_faults_nothing_else_goes_wrong() -> None:
    errands = draw(jobs=200, faults=Faults.NONE, seed=1)

    assert sum(errand.faults for errand in errands) == 0


@pytest.mark.parametrize("seed", range(5))
def test_every_task_can_be_known_of(seed: int) -> None:
    for errand in draw(jobs=400, faults=Faults.HARD, seed=seed):
        plan = errand.plan
        assert plan.create_answer is CreateAnswer.OK or plan.calls_back
        assert errand.door is Door.CREATE or plan.create_answer is CreateAnswer.OK
        assert errand.door is not Door.ORPHAN or plan.calls_back


def test_users_pay_for_all_their_errands() -> None:
    errands = draw(jobs=60, faults=Faults.LIGHT, seed=1)

    assert sum(users_of(errands).values()) == sum(errand.ware.price for errand in errands)
    assert len({errand.key for errand in errands}) == 60
    assert replace(errands[0]) == errands[0]


def test_another_series_is_the_same_errands_for_other_users_under_other_keys() -> None:
    demo, other = (
        draw(jobs=30, faults=Faults.LIGHT, seed=7, **more)
        for more in ({}, {"series": "trial-5", "first_user": 900_000})
    )

    assert [one.plan for one in demo] == [one.plan for one in other]
    assert not {one.key for one in demo} & {one.key for one in other}
    assert not {one.user.id for one in demo} & {one.user.id for one in other}


def demo(storage: str) -> dict[str, object]:
    """Run twenty jobs of seed 1 and return what the command says at the end."""
    command = [sys.executable, "-c", "from sendonce_cli.main import app; app()"]
    run = subprocess.run(
        [*command, "demo", "--jobs", "20", "--faults", "none", "--json", "--storage", storage],
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    told: dict[str, object] = json.loads(run.stdout.splitlines()[-1])
    return told


@pytest.mark.e2e
@pytest.mark.timeout(2 * LONGEST + 10)
def test_twenty_jobs_from_end_to_end_end_alike_on_every_storage() -> None:
    told = demo("postgres")

    assert demo("json")["final_states"] == told["final_states"]
    assert list(told) == list(PRINTED)
    assert told["jobs"] == 20
    assert told["succeeded"] == told["delivered"] == told["shown_once"] == 18
    assert told["failed_by_provider"] == 2
    assert told["shown_twice"] == told["lost"] == told["uncertain"] == 0
    assert told["ledger_balanced"] is True
