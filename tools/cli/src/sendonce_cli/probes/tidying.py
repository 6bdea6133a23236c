"""Tidies up after probes: no job stays open, no orphan waits, no message stands that can be taken away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp

from contracts.api import JobView, OrphansView
from contracts.ops import BotsView, ListBots, ListOrphans
from contracts.repairs import ExpireOrphans, RepairsView
from contracts.values import JobState
from sendonce import SendOnceError
from sendonce_cli.probes.items import Unmet
from sendonce_cli.probes.tenant import MANY, Tenant
from sendonce_cli.trouble import Trouble

AT_ONCE: Final = 16
TROUBLES: Final = (SendOnceError, Trouble, Unmet, aiohttp.ClientError, OSError)


async def tidied(tenant: Tenant) -> tuple[str, ...]:
    """Leave nothing open behind; returns what is left all the same."""
    left: list[str] = []
    async with _noted(left, "pauses"):
        await _let_go(tenant)
    slots = asyncio.Semaphore(AT_ONCE)

    async def end(job: JobView) -> None:
        async with slots, _noted(left, f"job {job.label}"):
            await _ended(tenant, job)

    await asyncio.gather(*map(end, {job.id: job for job in tenant.jobs}.values()))
    async with _noted(left, "orphans"):
        await _expire_orphans(tenant)
    return tuple(left)


@asynccontextmanager
async def _noted(left: list[str], what: str) -> AsyncIterator[None]:
    try:
        yield
    except TROUBLES as problem:
        left.append(f"{what}: {problem}")


async def _let_go(tenant: Tenant) -> None:
    """End the pauses of a run that was broken off."""
    bots = (await tenant.desk.ops("bots.list", ListBots, BotsView)).bots
    stopped = next((bot.pauses for bot in bots if bot.slug == tenant.bot.bot), ())
    for pause in stopped:
        await tenant.resume(pause.what)


async def _ended(tenant: Tenant, job: JobView) -> None:
    found = await tenant.look(job)
    if found.state in {JobState.CREATED, JobState.SUBMITTING, JobState.RUNNING}:
        found = await tenant.end(found)
    if found.ended_at is None:
        raise Unmet(f"it is {found.state} and goes on")
    if tenant.chats is not None:
        shown = {part.message_id for part in found.parts} | {found.status_message_id}
        for message in shown:
            if message is not None:
                await tenant.chats.remove(found.chat_id, message)


async def _expire_orphans(tenant: Tenant) -> None:
    view = await tenant.desk.ops(
        "orphans.list", ListOrphans, OrphansView, state="waiting", limit=MANY
    )
    ours = [one.id for one in view.orphans if one.task_id in tenant.tasks]
    if ours:
        await tenant.desk.ops(
            "orphans.expire", ExpireOrphans, RepairsView, orphan_ids=tuple(ours), **tenant.by
        )
