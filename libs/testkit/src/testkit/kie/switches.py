"""What holds for the whole KIE at once and may change at any time."""

from enum import StrEnum

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass


class Outage(StrEnum):
    """How the API is down; files and /sim stay reachable."""

    NONE = "none"
    REFUSE = "refuse"  # connections end without an answer
    HTTP_503 = "503"
    HANG = "hang"


@dataclass(slots=True, kw_only=True, config=ConfigDict(extra="forbid", validate_assignment=True))
class Switches:
    """Turned by assignment; every change holds from the next request or callback on."""

    suppress_all_callbacks: bool = False
    copies: int = 1  # every callback so many times
    parallel: bool = False  # the copies at once
    account_code: int | None = None  # 402, 433: creates are answered with it; 401, 455: all calls
    outage: Outage = Outage.NONE

    def duplicate_all(self, copies: int, *, parallel: bool = False) -> None:
        """Send every callback `copies` times."""
        self.copies = copies
        self.parallel = parallel
