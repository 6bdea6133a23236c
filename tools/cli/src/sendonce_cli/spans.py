"""Moments as a person types them: ``90m``, ``2h``, ``3d`` ago, or a date and time."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from chassis import clock
from sendonce_cli.trouble import misuse

UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
AGO: Final = re.compile(r"(\d{1,6})([smhd])")


def moment(text: str, *, option: str) -> datetime:
    """Read a moment; one without a zone is the reader's own."""
    ago = AGO.fullmatch(text.strip())
    if ago is not None:
        return clock.SYSTEM.now() - timedelta(**{UNITS[ago[2]]: int(ago[1])})
    try:
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise misuse(
            f"{option} {text}: not a moment",
            hint="say 2h, 90m, 3d, or 2026-11-30T10:00 in your own time zone",
        ) from wrong
