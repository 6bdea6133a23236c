"""The programme as a person starts it; run with `-m bench`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.play import with_code
from testkit.processes.service import environment

pytestmark = [pytest.mark.bench, pytest.mark.timeout(180)]


def measured(only: str, out: Path) -> dict[str, dict[str, object]]:
    """Figures of one scenario, by name."""
    files = ("--json", str(out / "f.json"), "--svg", str(out / "f.svg"))
    subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--only", only, *files],
        env=environment(with_code({})),
        check=True,
    )
    told = json.loads((out / "f.json").read_text("utf-8"))
    return {figure["name"]: figure for figure in told["figures"]}


def test_what_the_clocks_touch_does_not_grow_with_history(tmp_path):
    figures = measured("queries", tmp_path)

    grown = [name for name, figure in figures.items() if figure["is_met"] is False]

    assert not grown


def test_both_doors_are_measured_in_the_same_run(tmp_path):
    acknowledged = measured("door", tmp_path)["callbacks acknowledged"]

    assert acknowledged["value"]
    assert acknowledged["yardstick"]
    assert acknowledged["ratio"]
