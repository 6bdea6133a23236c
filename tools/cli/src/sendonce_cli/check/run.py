"""One check from its bot to its verdict."""

from collections.abc import AsyncIterator, Sequence
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
from sendonce_cli.probes.files import shelf
from sendonce_cli.probes.items import Phase, Verdict
from sendonce_cli.probes.live import Progress
from sendonce_cli.probes.running import run_phases
from sendonce_cli.probes.tenant import CURRENCY, Tenant
from sendonce_cli.probes.tidying import tidied
from sendonce_cli.settings import Settings

BOT: Final = "sendonce-check"
NO_KEY: Final = "sendonce-check"  # a KIE account without a key: nothing can be bought by a check
HTTP_WITHIN: Final = aiohttp.ClientTimeout(total=15.0)
SLOWEST: Final = 4  # of one probe, in patiences


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a check was asked for."""

    gateway_url: str | None
    telegram_url: str | None  # of the sandbox
    chat_id: int | None  # of the real Telegram
    token_ref: str
    media: tuple[str, ...]
    patience: float
    by: dict[str, str]


async def check(
    settings: Settings, options: Options, phases: Sequence[Phase[Tenant]], progress: Progress
) -> Verdict:
    """Run the phases, tidy up, and say what was found."""
    began = monotonic()
    async with tenant(settings, options) as lab:
        try:
            found = await run_phases(
                phases,
                lab,
                within=SLOWEST * options.patience,
                begin=progress.begin,
                tell=progress.tell,
            )
        finally:
            progress.say("tidying up")
            left = await tidied(lab)
    return Verdict(phases=tuple(found), left=left, seconds=round(monotonic() - began, 1))


@asynccontextmanager
async def tenant(settings: Settings, options: Options) -> AsyncIterator[Tenant]:
    """Make the bot of the check, and everything it is looked at with."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        desk = await enter(desk_at(settings.nats_url, creds=settings.nats_creds))
        await desk.ops(
            "bots.add",
            AddBot,
            BotView,
            slug=BOT,
            token_ref=options.token_ref,
            kie_account=NO_KEY,
            currency=CURRENCY,
            **options.by,
        )
        bot = await enter(
            SendOnce(
                settings.nats_url, bot=BOT, creds=settings.nats_creds, deadline=options.patience
            )
        )
        http = await enter(aiohttp.ClientSession(timeout=HTTP_WITHIN))
        yield Tenant(
            bot=bot,
            desk=desk,
            door=Door(http, options.gateway_url),
            chats=await chats_of(stack, http, options),
            by=options.by,
            patience=options.patience,
            replicas=settings.nats_replicas,
        )


async def chats_of(
    stack: AsyncExitStack, http: aiohttp.ClientSession, options: Options
) -> Chats | None:
    """Return where results may be shown: the chat that was named, else the sandbox's; else nowhere."""
    if options.chat_id is not None:
        return RealChat(options.chat_id, options.media)
    if options.telegram_url is not None:
        return SandboxChats(http, options.telegram_url, await stack.enter_async_context(shelf()))
    return None
