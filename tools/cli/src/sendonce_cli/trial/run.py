"""One trial from its first job to the verdict."""

import asyncio
import secrets
from typing import Final

import aiohttp
from rich.console import Console

from sendonce_cli.asking import Desk, desk_for_long
from sendonce_cli.demo import live, report
from sendonce_cli.demo.bot import Bot
from sendonce_cli.demo.drive import Driver, Progress, top_up
from sendonce_cli.demo.errands import Errand, draw
from sendonce_cli.demo.options import Options
from sendonce_cli.demo.pulse import Pulse
from sendonce_cli.demo.run import answered, beside
from sendonce_cli.demo.verdict import Verdict, judge
from sendonce_cli.probes.door import CALLBACKS
from sendonce_cli.probes.items import Unmet, Unshown
from sendonce_cli.probes.stay import Stay, tenant
from sendonce_cli.probes.tenant import Tenant
from sendonce_cli.settings import Settings
from sendonce_cli.trial.sandboxes import Sandboxes
from sendonce_cli.trouble import Trouble

USERS: Final = 10_000_000  # above the demo's, and a thousand for each run
RUNS: Final = 1_000_000


class Nobody:
    """Kills nothing: the services are not ours."""

    total = 0


async def run(
    settings: Settings, stay: Stay, options: Options, *, kie_url: str, console: Console
) -> Verdict:
    """Put the jobs through the deployment and judge them; nothing is tidied up after it."""
    number = secrets.randbelow(RUNS)
    errands = draw(
        jobs=options.jobs,
        faults=options.faults,
        seed=options.seed,
        series=f"trial-{number}",
        first_user=USERS + 1_000 * number,
    )
    try:
        async with (
            tenant(settings, stay) as lab,
            desk_for_long(settings.nats_url, creds=settings.nats_creds) as desk,
        ):
            around = Sandboxes(lab.http, kie_url=kie_url, telegram_url=stay.telegram_url or "")
            async with around.told(errands, faults=options.faults, seed=options.seed):
                return await _through(lab, desk, around, options, errands, console)
    except aiohttp.ClientError as away:
        raise Trouble(
            f"a sandbox does not answer: {away}",
            hint="is it there, and can it be reached from here?",
        ) from away


async def _through(
    lab: Tenant,
    desk: Desk,
    around: Sandboxes,
    options: Options,
    errands: tuple[Errand, ...],
    console: Console,
) -> Verdict:
    gateway = await _gateway(lab)
    bot, progress = Bot(lab.bot), Progress(wanted=len(errands))
    pulse = Pulse(outside=around, desk=desk, progress=progress, killer=Nobody(), bot=lab.bot.bot)
    async with answered("before the run"):
        await pulse.begin()
        paid = await top_up(bot, errands)
    driver = Driver(bot, progress, outside=around, gateway_url=gateway)
    async with beside(live.show(pulse, options, console)):
        async with beside(driver.run(errands)):
            is_quiet = await pulse.until_quiet(within=options.within)
        # The last frame shows the end.
        await asyncio.sleep(1 / live.FRAMES)
    if not is_quiet:
        report.gave_up(console, pulse)
    async with answered("after the run"):
        verdict = await judge(pulse, bot, errands=errands, paid=paid, seed=options.seed)
    report.report(console, verdict, pulse)
    return verdict


async def _gateway(lab: Tenant) -> str:
    """Return where KIE reaches the gateway."""
    try:
        return (await lab.plain()).removesuffix(CALLBACKS)
    except Unshown as unshown:
        raise Trouble(str(unshown), hint=unshown.todo) from unshown
    except Unmet as unmet:
        raise Trouble(str(unmet), hint="`sendonce check` tells more") from unmet
