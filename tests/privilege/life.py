"""A whole life with the rights of production: five services, two bots, every verb, every way a result is found."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
from pydantic import SecretStr

import job_store.app
from chassis import lifecycle
from contracts.api import JobView
from contracts.permissions import bot_user
from contracts.reports import ReportedMedia
from contracts.values import JobState, MediaKind
from deployment import FINAL, Deployment, deployed, eventually
from privilege.ground import BOTS, Ground
from sendonce import SendOnce, TooLate
from testkit.kie import Plan

USER, CURRENCY, PRICE = 7, "RUB", 100
_chats = count(1_000)


async def a_whole_life(on: Ground) -> None:
    async with deployed(
        database_url=on.database_url,
        nats_url=on.nats.url,
        creds=on.creds,
        store_url=on.store_url,
    ) as living:
        for slug in BOTS:
            await living.ops("bots.add", slug=slug)
        await _task(living, f"{living.gateway_url}/callbacks/kie")  # nobody will attach it
        await asyncio.gather(*(_asks_everything(on, living, slug) for slug in BOTS))
        await eventually(lambda: _has_an_orphan(living), within=15)


async def _asks_everything(on: Ground, living: Deployment, slug: str) -> None:
    creds = on.creds(bot_user(slug))
    async with SendOnce(on.nats.url, bot=slug, creds=creds) as bot:
        jobs = await _orders(living, bot)
        assert await bot.returned(USER) == 0
        await bot.undelivered()
        assert (await bot.statement(USER, CURRENCY)).lines
        for job in jobs:
            await eventually(lambda job=job: _ended(bot, job), within=30)
        assert (await bot.wallet(USER, CURRENCY)).held == 0
        async for event in bot.events():
            if event.event == "delivered":
                break


async def _orders(living: Deployment, bot: SendOnce) -> list[JobView]:
    await bot.topup(USER, currency=CURRENCY, amount=PRICE, reference=str(uuid4()))
    jobs = [
        await _create(bot, price=PRICE),
        await _create(bot, prompt="plan:silent"),  # found by polling
        await _create(bot, mode="send"),
        await bot.deliver(media=[ReportedMedia(kind=MediaKind.TEXT, text="a haiku")], **_where()),
    ]
    own = await bot.expect(**_where())
    assert own.callback_url is not None
    task_id = await _task(living, own.callback_url)
    jobs.append(await bot.attach(own.id, task_id))
    with suppress(TooLate):
        await bot.cancel(jobs[0].id)
    assert [job.id for job in await bot.find_by_task_id(task_id)] == [own.id]
    return jobs


async def _create(bot: SendOnce, *, prompt: str = "a cat", **options: Any) -> JobView:
    return await bot.create(model="nano-banana-2", input={"prompt": prompt}, **_where(), **options)


def _where() -> dict[str, Any]:
    # A chat for each, so that none waits for another's turn.
    return {"key": str(uuid4()), "chat_id": next(_chats), "user_id": USER}


async def _ended(bot: SendOnce, job: JobView) -> bool:
    found = await bot.get(job.id)
    if found.state in FINAL:
        assert found.state in {JobState.DELIVERED, JobState.CANCELLED}, found
        return True
    return False


async def _task(living: Deployment, callback_url: str) -> str:
    """Create a task as a bot does that calls KIE by itself."""
    living.kie.plan_next(Plan(seconds=0.0))
    async with httpx.AsyncClient() as http:
        answer = await http.post(
            f"{living.kie.url}/api/v1/jobs/createTask",
            headers={"Authorization": f"Bearer {living.kie.api_key}"},
            json={
                "model": "nano-banana-2",
                "input": {"prompt": "mine"},
                "callBackUrl": callback_url,
            },
        )
    task_id: str = answer.json()["data"]["taskId"]
    return task_id


async def _has_an_orphan(living: Deployment) -> bool:
    return bool((await living.ops("orphans.list", state="waiting"))["orphans"])


@asynccontextmanager
async def a_store(on: Ground) -> AsyncIterator[None]:
    """Run job-store alone."""
    settings = job_store.app.Settings(
        nats_url=on.nats.url,
        nats_creds=on.creds(job_store.app.NAME),
        database_url=SecretStr(on.store_url),
        log_level="warning",
    )
    async with lifecycle.service(job_store.app.build, settings, name=job_store.app.NAME):
        yield
