"""Every sabotaged build lacks something that exists, and an item is about it."""

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
