"""An hour in which a bot had the wrong token: put right with two commands, each result shown once."""

import asyncio
import re
from collections.abc import Sequence

import pytest

from contracts.api import JobView
from contracts.reports import ReportedMedia
from contracts.values import MediaKind
from deployment import Deployment
from sendonce import SendOnce
from testkit.telegram import Kind

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

REFUSED, STOPPED = 100, 100  # by the chats of another bot's token; by a token that is none
PRICE = 10
SINCE = ("--bot", "shop", "--since", "1h", "--why", "the token was another bot's")


async def shown(shop: SendOnce, chats: range) -> list[JobView]:
    """Have one poem shown in each of these chats."""
    return await asyncio.gather(
        *(
            shop.deliver(
                key=f"job-{chat}",
                chat_id=chat,
                user_id=7,
                price=PRICE,
                status="none",
                media=[ReportedMedia(kind=MediaKind.TEXT, text=f"the poem for {chat}")],
                timeout=60,
            )
            for chat in chats
        )
    )


async def until(deployment: Deployment, **states: int) -> None:
    """Wait until so many of the bot's jobs are in these states."""

    last: dict[str, int] = {}

    async def reached() -> bool:
        bots = (await deployment.ops("status"))["bots"]
        (shop,) = [bot for bot in bots if bot["bot"] == "shop"]
        last.clear()
        last.update(shop["by_state"])
        return last == states

    try:
        await deployment.eventually(reached, within=60)
    except TimeoutError as late:
        raise TimeoutError(f"wanted {states}, stands at {last}") from late


async def all_wait(deployment: Deployment) -> bool:
    """The bot is stopped, and nobody is calling Telegram for it any more."""
    status = await deployment.ops("status")
    is_stopped = any(line.startswith("bot:shop: ") for line in status.get("paused", ()))
    return is_stopped and status["effects_acting"] == 0


async def times_shown(deployment: Deployment, jobs: Sequence[JobView]) -> set[int]:
    poems = [part.text or "" for job in jobs for part in job.parts if part.ordinal]
    return {deployment.telegram.ever_shown_count(poem) for poem in poems}


async def test_two_hundred_jobs_of_a_bad_hour(deployment: Deployment) -> None:
    refused, stopped = range(1_000, 1_000 + REFUSED), range(2_000, 2_000 + STOPPED)
    await deployment.command("bots", "add", "shop")
    async with SendOnce(deployment.nats_url, bot="shop") as shop:
        await shop.topup(7, currency="RUB", amount=PRICE * (REFUSED + STOPPED), reference="r")
        for chat in refused:
            deployment.telegram.forbid(chat, *Kind)
        jobs = await shown(shop, refused)
        await until(deployment, undeliverable=REFUSED)
        await deployment.command("bots", "add", "shop", "--token-ref", "nobodys")
        jobs += await shown(shop, stopped)
        await until(deployment, undeliverable=REFUSED, succeeded=STOPPED)
        await deployment.eventually(lambda: all_wait(deployment))
        assert await times_shown(deployment, jobs) == {0}
        for chat in refused:
            deployment.telegram.forbid(chat)

        tried = await deployment.command("jobs", "redeliver", *SINCE, "--dry-run")
        await deployment.command("bots", "add", "shop", "--token-ref", "default")
        done = await deployment.command("jobs", "redeliver", *SINCE, "--yes")
        await until(deployment, delivered=REFUSED + STOPPED)

        again = await deployment.command("jobs", "redeliver", *SINCE, "--yes")
        wallet = await shop.wallet(7, currency="RUB")

    assert re.match(r"200 of 200 would be redelivered", tried)
    assert re.match(r"\d+ of 200 redelivered", done)
    assert re.match(r"0 of 200 redelivered", again)
    assert await times_shown(deployment, jobs) == {1}
    assert (wallet.balance, wallet.held) == (0, 0)
    findings = (await deployment.ops("doctor"))["findings"]
    assert [one["check"] for one in findings if not one["ok"]] == []
