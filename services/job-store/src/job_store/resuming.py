"""The way back after a restore: reports applied again, then outcomes, then the hold is lifted."""

from typing import Final

import structlog

from contracts.ops import Resume, ResumeView
from job_store.acknowledged import Acknowledged
from job_store.store.inbox import Inbox
from job_store.store.lineage import Lineage, Phase, Restore

log = structlog.get_logger()

REPORTS: Final = ("job-store-reports",)
OUTCOMES: Final = ("job-store-submissions", "job-store-deliveries")
READ: Final = {Phase.FOUND: (), Phase.REPORTS: REPORTS, Phase.OUTCOMES: OUTCOMES}


class Resuming:
    """The operator's verb ``resume``.

    Each question moves on by one phase at most; any replica may be asked, and asked again.
    """

    def __init__(self, lineage: Lineage, acknowledged: Acknowledged, inbox: Inbox) -> None:
        self._lineage = lineage
        self._acknowledged = acknowledged
        self._inbox = inbox

    async def resume(self, ask: Resume) -> ResumeView:
        """Say how it stands, and with ``advance`` take the next step as soon as the last is done."""
        restore = await self._lineage.restore()
        if restore is None:
            return ResumeView(held=False, phase="over")
        pending = await self._pending(restore.phase)
        view = ResumeView(
            held=True,
            phase=restore.phase.value,
            found_at=restore.found_at,
            durable=restore.durable,
            missing=restore.missing,
            pending=pending,
            may_repeat=tuple(await self._lineage.may_repeat(restore)),
            unknown_jobs=tuple(await self._lineage.unknown_jobs()),
        )
        if not ask.advance or pending:
            return view
        return view.model_copy(update=await self._advance(restore))

    async def _pending(self, phase: Phase) -> int:
        return sum([await self._acknowledged.pending(durable) for durable in READ[phase]])

    async def _advance(self, restore: Restore) -> dict[str, object]:
        match restore.phase:
            case Phase.FOUND:
                return await self._begin(restore, Phase.REPORTS)
            case Phase.REPORTS:
                return await self._begin(restore, Phase.OUTCOMES)
            case _:
                await self._lineage.move_on(restore, Phase.OVER)
                log.warning("restore.over", found_at=restore.found_at.isoformat())
                return {"held": False, "phase": "over"}

    async def _begin(self, restore: Restore, phase: Phase) -> dict[str, object]:
        gone = 0
        for durable in READ[phase]:
            # While it is held nobody writes a floor: it is the one of the backup.
            floor = await self._inbox.floor(durable) or 0
            gone += await self._acknowledged.begin_again(durable, after=floor)
        await self._lineage.move_on(restore, phase)
        log.warning("restore.applying_again", phase=phase, gone=gone)
        return {"phase": phase.value, "gone": gone, "pending": await self._pending(phase)}
