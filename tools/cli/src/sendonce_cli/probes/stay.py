"""A stay in a deployment: makes the bot that probes work as, runs them, tidies up, says what was found."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Final

import aiohttp

from contracts.ops import AddBot, BotView
from sendonce import SendOnce
from sendonce_cli.asking import desk_at
from sendonce_cli.probes.chats import Chats, RealChat, SandboxChats
from sendonce_cli.probes.door import Door
from sendonce_cli.probes.items import Lab, Phase, Verdict
from sendonce_cli.probes.running import Watcher, run_phases
from sendonce_cli.probes.tenant import CURRENCY, Tenant
from sendonce_cli.probes.tidying import tidied
from sendonce_cli.settings import Settings

HTTP_WITHIN: Final = aiohttp.ClientTimeout(total=15.0)
SLOWEST: Final = 4  # of one probe, in patiences


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """Who comes, and what it may use."""

    bot: str
    kie_account: str
    token_ref: str
    gateway_url: str | None
    telegram_url: str | None  # of the sandbox
    chat_id: int | None  # of the real Telegram
    media: tuple[str, ...]
    patience: float
    by: dict[str, str]  # who asks and why


async def verdict_of(
    settings: Settings,
    stay: Stay,
    phases: Sequence[Phase[Lab]],
    lab_of: Callable[[Tenant], Lab],
    watcher: Watcher,
) -> Verdict:
    """Run the phases, tidy up, and say what was found."""
    began = monotonic()
    async with tenant(settings, stay) as here:
        try:
            found = await run_phases(
                phases,
                lab_of(here),
                within=SLOWEST * stay.patience,
                watcher=watcher,
            )
        finally:
            watcher.say("tidying up")
            left = await tidied(here)
    return Verdict(phases=tuple(found), left=left, seconds=round(monotonic() - began, 1))


@asynccontextmanager
async def tenant(settings: Settings, stay: Stay) -> AsyncIterator[Tenant]:
    """Make the bot, and everything it is looked at with."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        desk = await enter(desk_at(settings.nats_url, creds=settings.nats_creds))
        await desk.ops(
            "bots.add",
            AddBot,
            BotView,
            slug=stay.bot,
            token_ref=stay.token_ref,
            kie_account=stay.kie_account,
            currency=CURRENCY,
            **stay.by,
        )
        bot = await enter(
            SendOnce(
                settings.nats_url,
                bot=stay.bot,
                creds=settings.nats_creds,
                deadline=stay.patience,
            )
        )
        http = await enter(aiohttp.ClientSession(timeout=HTTP_WITHIN))
        yield Tenant(
            bot=bot,
            desk=desk,
            http=http,
            door=Door(http, stay.gateway_url),
            chats=chats_of(http, stay),
            by=stay.by,
            patience=stay.patience,
            replicas=settings.nats_replicas,
        )


def chats_of(http: aiohttp.ClientSession, stay: Stay) -> Chats | None:
    """Return where results may be shown: the chat that was named, else the sandbox's; else nowhere."""
    if stay.chat_id is not None:
        return RealChat(stay.chat_id, stay.media)
    if stay.telegram_url is not None:
        return SandboxChats(http, stay.telegram_url)
    return None
