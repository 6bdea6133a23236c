"""One demo from start to verdict."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from rich.console import Console

from chassis import lifecycle
from sendonce import SendOnce
from sendonce_cli.asking import desk_at
from sendonce_cli.demo import live, report
from sendonce_cli.demo.bot import Bot
from sendonce_cli.demo.chaos import Killer
from sendonce_cli.demo.drive import Driver, Progress, top_up
from sendonce_cli.demo.errands import Errand, draw
from sendonce_cli.demo.options import Faults, Options
from sendonce_cli.demo.pulse import Pulse
from sendonce_cli.demo.verdict import Verdict, judge
from sendonce_cli.demo.world import BOT, World, world
from sendonce_cli.trouble import Trouble

PREFIX: Final = "sendonce-demo-"
ANSWERS_WITHIN: Final = 60.0  # seconds for the questions before and after the run

Tell = Callable[[Verdict], None]


async def run(options: Options, console: Console, *, tell: Tell) -> Verdict:
    """Run it and tell the verdict at once; the data stays only when something went wrong."""
    directory = _directory()
    errands = draw(jobs=options.jobs, faults=options.faults, seed=options.seed)
    is_clean = False
    try:
        async with _running(directory, options, errands, console) as running:
            verdict = await _through(running, options, errands, console)
            tell(verdict)
            if options.keep:
                await _keep(console, running)
        is_clean = verdict.is_clean
        return verdict
    finally:
        if is_clean:
            shutil.rmtree(directory, ignore_errors=True)
        else:
            report.where_logs_are(console, directory)


def _directory() -> Path:
    directory = Path(tempfile.mkdtemp(prefix=PREFIX))
    # The embedded Postgres may run as a lesser account, which must reach its directory.
    directory.chmod(0o755)
    return directory


@asynccontextmanager
async def _running(
    directory: Path, options: Options, errands: tuple[Errand, ...], console: Console
) -> AsyncIterator[World]:
    def say(text: str) -> None:
        console.print(f"[quiet]{text} …[/]")

    async with world(
        directory,
        errands=errands,
        faults=options.faults,
        seed=options.seed,
        storage=options.storage,
        say=say,
    ) as running:
        console.print(f"chats  [bold underline]{running.chat_page}[/]", soft_wrap=True)
        yield running
        say("stopping")


async def _through(
    running: World, options: Options, errands: tuple[Errand, ...], console: Console
) -> Verdict:
    url = running.addresses.nats_url
    async with SendOnce(url, bot=BOT) as sendonce, desk_at(url) as desk:
        bot = Bot(sendonce)
        async with answered("before the run"):
            paid = await top_up(bot, errands)
        progress, killer = Progress(wanted=len(errands)), Killer(running.services)
        pulse = Pulse(outside=running.outside, desk=desk, progress=progress, killer=killer)
        async with beside(live.show(pulse, options, console)):
            driver = Driver(bot, progress, outside=pulse.outside, gateway_url=running.gateway_url)
            async with beside(driver.run(errands)), beside(_kills(killer, pulse, options)):
                is_quiet = await pulse.until_quiet(within=options.within)
            # The last frame shows the end.
            await asyncio.sleep(1 / live.FRAMES)
        if not is_quiet:
            report.gave_up(console, pulse)
        async with answered("after the run"):
            verdict = await judge(pulse, bot, errands=errands, paid=paid, seed=options.seed)
        report.report(console, verdict, pulse)
        return verdict


async def _kills(killer: Killer, pulse: Pulse, options: Options) -> None:
    """Kill the services by turn, if that was asked for."""
    if options.faults is Faults.HARD:
        await killer.run(while_working=lambda: pulse.is_working)


@asynccontextmanager
async def beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run something beside the block; its failure ends the block, its end does not."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        yield
        task.cancel()


@asynccontextmanager
async def answered(when: str) -> AsyncIterator[None]:
    """Turn a job-store that is silent for too long into trouble."""
    try:
        async with asyncio.timeout(ANSWERS_WITHIN):
            yield
    except TimeoutError as silent:
        raise Trouble(
            f"job-store did not answer {when} for {ANSWERS_WITHIN:.0f} s",
            hint="its log says why",
        ) from silent


async def _keep(console: Console, running: World) -> None:
    console.print(
        f"still running: [bold underline]{running.chat_page}[/]  Ctrl-C stops it", soft_wrap=True
    )
    await lifecycle.stop_signal()
