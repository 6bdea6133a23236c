"""The screen while a demo runs: numbers in place on a terminal, a line every few seconds elsewhere."""

import asyncio
from typing import Final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from contracts.values import JobState
from sendonce_cli.demo.options import Options
from sendonce_cli.demo.pulse import Pulse
from sendonce_cli.screen import WIDTH

FRAMES: Final = 4  # a second
LINE_EVERY: Final = 2.0  # seconds, where nothing can be redrawn


async def show(pulse: Pulse, options: Options, console: Console) -> None:
    """Keep the screen true until cancelled."""
    if not console.is_terminal:
        while True:
            await asyncio.sleep(LINE_EVERY)
            console.print(line(pulse), markup=False, soft_wrap=True)
    with Live(
        console=console, refresh_per_second=FRAMES, get_renderable=lambda: frame(pulse, options)
    ):
        await asyncio.get_running_loop().create_future()


def line(pulse: Pulse) -> str:
    """Return the run so far in one line."""
    beat = pulse.last
    return (
        f"{pulse.seconds:5.1f} s  asked {pulse.progress.asked}/{pulse.progress.wanted}"
        f"  running {beat.count(JobState.CREATED, JobState.SUBMITTING, JobState.RUNNING)}"
        f"  delivering {beat.count(JobState.SUCCEEDED)}"
        f"  delivered {beat.count(JobState.DELIVERED)}  failed {beat.count(JobState.FAILED)}"
        f"  {pulse.rate:.1f}/s  faults {beat.kie_faults + beat.outside.telegram_faults}  kills {beat.kills}"
    )


def frame(pulse: Pulse, options: Options) -> RenderableType:
    """Return the panel of one moment."""
    title = f"sendonce {options.what} · {options.jobs} jobs · faults {options.faults} · seed {options.seed}"
    return Panel(
        Group(_bar(pulse), _jobs(pulse), _outside(pulse), _doors(pulse)),
        title=title,
        title_align="left",
        border_style="cyan",
        box=box.ROUNDED,
        padding=(0, 1),
        width=WIDTH,
    )


def _bar(pulse: Pulse) -> RenderableType:
    row = Table.grid(expand=True, padding=(0, 1))
    row.add_column(ratio=1)
    row.add_column(justify="right", no_wrap=True)
    total, ended = pulse.progress.wanted, pulse.last.ended
    row.add_row(
        ProgressBar(total=total, completed=ended, complete_style="cyan", finished_style="green"),
        f"{ended}/{total} ended · {pulse.rate:.1f}/s · {pulse.seconds:.0f} s",
    )
    return row


def _jobs(pulse: Pulse) -> RenderableType:
    beat = pulse.last
    numbers = (
        ("asked for", pulse.progress.asked, ""),
        ("running", beat.count(JobState.CREATED, JobState.SUBMITTING, JobState.RUNNING), "cyan"),
        ("delivering", beat.count(JobState.SUCCEEDED), "blue"),
        ("delivered", beat.count(JobState.DELIVERED), "good"),
        ("failed", beat.count(JobState.FAILED), "red"),
        ("expired", beat.count(JobState.EXPIRED), "magenta"),
    )
    return _row(numbers)


def _outside(pulse: Pulse) -> RenderableType:
    beat = pulse.last
    return _row(
        (
            ("KIE tasks", beat.outside.kie_tasks, ""),
            ("callbacks", beat.outside.callbacks, ""),
            ("TG calls", beat.outside.calls, ""),
            ("KIE faults", beat.kie_faults, "warn"),
            ("TG faults", beat.outside.telegram_faults, "warn"),
            ("kill -9", beat.kills, "bad"),
        )
    )


def _row(numbers: tuple[tuple[str, int, str], ...]) -> Table:
    row = Table.grid(expand=True, padding=(1, 1, 0, 0))
    for _ in numbers:
        row.add_column(ratio=1)
    row.add_row(
        *(
            Text.assemble(
                (f"{value:,}", f"bold {style}" if style and value else "bold"), "\n", (name, "dim")
            )
            for name, value, style in numbers
        )
    )
    return row


def _doors(pulse: Pulse) -> RenderableType:
    return Text.assemble("\n", ("chats  ", "dim"), (pulse.outside.chat_page, "bold underline"))
