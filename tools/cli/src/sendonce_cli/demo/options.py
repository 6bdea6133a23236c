"""What a demo run was asked for."""

from dataclasses import dataclass
from enum import StrEnum

from sendonce_cli.settings import Storage


class Faults(StrEnum):
    """How hostile KIE and Telegram are."""

    NONE = "none"
    LIGHT = "light"
    HARD = "hard"  # and the services are killed while they work


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    jobs: int
    faults: Faults
    seed: int
    within: float  # seconds until the run is given up
    storage: Storage = Storage.POSTGRES
    keep: bool = False
    what: str = "demo"  # the command
