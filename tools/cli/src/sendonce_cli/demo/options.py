"""What a demo run was asked for."""

from dataclasses import dataclass

from testkit.kie import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    jobs: int
    faults: Profile
    seed: int
    within: float  # seconds until the run is given up
    keep: bool
    as_json: bool
