"""A run in several processes: who measures time is alone, and the long ones come first."""

import json
import os
import subprocess
import sys
from pathlib import Path

SUITE = """
import json
import os
from pathlib import Path

import pytest

from testkit.processes import holds

HERE = Path(__file__).parent
INSIDE = HERE / "inside"


def note(name):
    with (HERE / "order").open("a") as order:
        order.write(json.dumps([os.environ["PYTEST_XDIST_WORKER"], name]) + "\\n")


@pytest.mark.alone
def test_measures_time():
    note("alone")
    (HERE / "alone").touch()
    others = list(INSIDE.iterdir())
    (HERE / "alone").unlink()
    assert others == []


@pytest.mark.parametrize("number", range(5))
async def test_waits(number):
    mine = INSIDE / str(number)
    mine.touch()
    note("other")
    disturbed = await holds((HERE / "alone").exists, within=0.2)
    mine.unlink()
    assert not disturbed


@pytest.mark.e2e
def test_crosses_services():
    note("e2e")
"""
PLUGINS = [
    argument
    for name in ("no:cacheprovider", "xdist", "asyncio", "sendonce")
    for argument in ("-p", name)
]
SETTINGS = """
[pytest]
asyncio_mode = auto
markers = e2e: crosses services
addopts = --strict-markers
"""


def run(directory: Path, *arguments: str) -> list[list[str]]:
    """The suite in processes of its own: who ran what, in which order."""
    (directory / "inside").mkdir()
    (directory / "pytest.ini").write_text(SETTINGS)
    (directory / "test_suite.py").write_text(SUITE)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *PLUGINS, *arguments, str(directory)],
        capture_output=True,
        text=True,
        check=False,
        cwd=directory,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # noqa: TID251 - of a process we start
    )
    assert done.returncode == 0, done.stdout
    return [json.loads(line) for line in (directory / "order").read_text().splitlines()]


def test_a_test_that_measures_time_is_alone_and_comes_last(tmp_path: Path) -> None:
    order = run(tmp_path, "-n", "2", "--maxschedchunk", "1")

    assert {worker for worker, _ in order} == {"gw0", "gw1"}
    assert sorted(name for _, name in order) == ["alone", "e2e", *["other"] * 5]
    # First and last of its own process: which process is quicker is up to the machine.
    by_worker = {worker: [name for whose, name in order if whose == worker] for worker, _ in order}
    assert "e2e" in [names[0] for names in by_worker.values()]
    assert "alone" in [names[-1] for names in by_worker.values()]
