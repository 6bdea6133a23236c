"""Every sabotaged build lacks something that exists, and an item is about it."""

import os
import subprocess
import sys
from pathlib import Path

from sabotage.builds import BUILDS, SMOKED, TRIED
from sabotage.guts import GUTS
from sendonce_cli.check.phases import PHASES as CHECKS
from sendonce_cli.smoke.phases import PHASES as SMOKES


def test_every_build_lacks_something_that_an_item_is_about():
    builds = (*BUILDS, *SMOKED)
    items = {phase.name: {probe.name for probe in phase.probes} for phase in CHECKS}

    assert len(BUILDS) >= 14
    assert len({build.gut for build in builds}) == len(builds)
    assert {build.gut for build in builds if build.service} == GUTS.keys()
    assert [
        build for build in builds if not build.service and not (build.harm and build.undo)
    ] == []
    assert [build for build in BUILDS if build.item not in items.get(build.phase, ())] == []
    assert {build.phase for build in BUILDS} == items.keys()
    assert {build.smoke for build in builds if build.smoke} <= {phase.name for phase in SMOKES}
    assert {build.name for build in BUILDS} >= set(TRIED)


APPLIED = """
import os
from sabotage.guts import GUTS
for name, gut in GUTS.items():
    if (child := os.fork()) == 0:
        try:
            gut()
        except BaseException as problem:
            os.write(1, f"{name}: {problem!r}\\n".encode())
        os._exit(0)
    os.waitpid(child, 0)
"""


def test_what_a_build_lacks_stands_where_it_is_taken_from():
    """Each in a fork of one process: a gut is never put back."""
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}  # noqa: TID251 - handed on
    done = subprocess.run(
        [sys.executable, "-c", APPLIED], env=env, capture_output=True, text=True, check=True
    )

    assert done.stdout == ""
