"""One demo from start to verdict."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import nats
from rich.console import Console
from testkit.kie import Profile

from sendonce_cli.asking import Desk
from sendonce_cli.demo import live, report
from sendonce_cli.demo.bot import Bot
from sendonce_cli.demo.chaos import Killer
from sendonce_cli.demo.drive import Driver, Progress, top_up
from sendonce_cli.demo.errands import Errand, draw
from sendonce_cli.demo.options import Options
from sendonce_cli.demo.pulse import Pulse
from sendonce_cli.demo.verdict import Verdict, judge
from sendonce_cli.demo.world import BOT, World, world

PREFIX: Final = "sendonce-demo-"


async def run(options: Options, console: Console) -> Verdict:
    """Run it; the data stays only when something went wrong."""
    directory = Path(tempfile.mkdtemp(prefix=PREFIX))
    # The embedded Postgres may run as a lesser account, which must reach its directory.
    directory.chmod(0o755)
    errands = draw(jobs=options.jobs, faults=options.faults, seed=options.seed)
    is_clean = False
    try:
        async with world(
            directory, errands=errands, faults=options.faults, seed=options.seed, say=_sayer(console)
        ) as running:
            console.print(f"chats   [bold underline]{running.chat_page}[/]", soft_wrap=True)
            verdict = await _through(running, options, errands, console)
            is_clean = verdict.is_clean
            if options.keep:
                await _keep(console, running)
        return verdict
    finally:
        if is_clean and not os.environ.get('KEEPDATA'):
            shutil.rmtree(directory, ignore_errors=True)
        else:
            report.where_logs_are(console, directory)


async def _through(running: World, options: Options, errands: tuple[Errand, ...], console: Console) -> Verdict:
    client = await nats.connect(running.addresses.nats_url, name="demo", max_reconnect_attempts=-1)
    try:
        bot, desk = Bot(client, BOT), Desk(client)
        progress, killer = Progress(wanted=len(errands)), Killer(running.services)
        paid = await top_up(bot, errands)
        pulse = Pulse(world=running, desk=desk, progress=progress, killer=killer)
        async with _beside(live.show(pulse, options, console)):
            await _work(running, bot, pulse, options, errands)
            # The last frame shows the end.
            await asyncio.sleep(1 / live.FRAMES)
        verdict = await judge(
            running, desk, bot, errands=errands, paid=paid, seconds=pulse.seconds, seed=options.seed
        )
        report.report(console, verdict, pulse)
        return verdict
    finally:
        await client.close()


async def _work(running: World, bot: Bot, pulse: Pulse, options: Options, errands: tuple[Errand, ...]) -> None:
    driving = Driver(running, bot, pulse.progress).run(errands)
    async with _beside(driving), _beside(_kills(pulse, options)):
        await pulse.until_quiet(within=options.within)


async def _kills(pulse: Pulse, options: Options) -> None:
    if options.faults is Profile.HARD:
        await pulse.killer.run(while_working=lambda: pulse.is_working)


@asynccontextmanager
async def _beside(work: object) -> AsyncIterator[None]:
    """Run something beside the block; its failure ends the block, its end does not."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)  # type: ignore[arg-type]  # a coroutine of any result
        yield
        task.cancel()


async def _keep(console: Console, running: World) -> None:
    console.print(f"\nstill running: [bold underline]{running.chat_page}[/]  Ctrl-C stops it", soft_wrap=True)
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.get_running_loop().create_future()


def _sayer(console: Console):  # noqa: ANN202
    def say(text: str) -> None:
        console.print(f"[quiet]{text} …[/]")

    return say
