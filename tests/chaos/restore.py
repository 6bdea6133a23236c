"""Postgres put back as it was some seconds ago, under running services, and an operator who resumes."""

import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg

from chaos.moments import lasts
from contracts.ops import Resume, ResumeView
from sendonce_cli.asking import Desk
from sendonce_cli.trouble import Trouble
from testkit.servers import PostgresServer

LOOK_EVERY: Final = 0.25  # seconds
NOTICED_WITHIN: Final = 45.0  # seconds, with NATS and links failing meanwhile
RESUMED_WITHIN: Final = 120.0


@dataclass(slots=True)
class Restore:
    """One restore of a run: what it took, and the jobs the operator was told of."""

    noticed_after: float | None = None  # seconds from the moment the older Postgres was up
    resumed_after: float | None = None
    may_repeat: set[str] = field(default_factory=set)
    took_back: bool = True  # whether a message was applied that the older Postgres does not know of

    @property
    def is_over(self) -> bool:
        """Claim that everything goes on, and that an older Postgres was noticed."""
        return self.resumed_after is not None or not self.took_back

    def as_json(self) -> dict[str, object]:
        """Return what a report keeps of it."""
        return {
            "noticed_seconds": self.noticed_after,
            "resumed_seconds": self.resumed_after,
            "may_repeat": len(self.may_repeat),
            "took_back": self.took_back,
        }


async def back_up(postgres: PostgresServer) -> None:
    """Copy its files while it is down."""
    await postgres.stop()
    _copy(postgres.data_directory / "pgdata", postgres.data_directory / "backup")
    await postgres.start()


async def put_back(postgres: PostgresServer) -> bool:
    """Kill it, and let it wake up as it was when it was copied; say whether that takes a commit back."""
    before = await _applied(postgres)
    await postgres.kill()
    _copy(postgres.data_directory / "backup", postgres.data_directory / "pgdata")
    await postgres.start()
    return await _applied(postgres) < before


async def _applied(postgres: PostgresServer) -> int:
    """Return how many messages of the bus were applied: by those an older Postgres is known."""
    connection = await asyncpg.connect(postgres.url)
    try:
        counts = (
            "(SELECT count(*) FROM sendonce.evidence) + (SELECT count(*) FROM sendonce.reports)"
        )
        return int(await connection.fetchval(f"SELECT {counts}"))
    finally:
        await connection.close()


async def resumed(desk: Desk, *, took_back: bool) -> Restore:
    """Wait for the hold, then do what `sendonce resume --after-restore` does; failing servers are asked again."""
    restore, began = Restore(took_back=took_back), time.monotonic()
    while time.monotonic() < began + NOTICED_WITHIN and restore.noticed_after is None:
        view = await _asked(desk, advance=False)
        if view is not None and view.held:
            restore.noticed_after = round(time.monotonic() - began, 2)
        await lasts(LOOK_EVERY)
    while restore.noticed_after and time.monotonic() < began + RESUMED_WITHIN:
        view = await _asked(desk, advance=True)
        if view is not None and not view.held:
            restore.resumed_after = round(time.monotonic() - began, 2)
            return restore
        # Named until somebody tells of them: at the end only what may truly be done twice is left.
        restore.may_repeat = restore.may_repeat if view is None else set(view.may_repeat)
        await lasts(LOOK_EVERY)
    return restore


async def _asked(desk: Desk, *, advance: bool) -> ResumeView | None:
    try:
        return await desk.ops("resume", Resume, ResumeView, advance=advance)
    except Trouble:
        return None


def _copy(source: Path, target: Path) -> None:
    """With owners and rights, as a backup of files has them."""
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)
