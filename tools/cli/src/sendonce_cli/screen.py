"""The two consoles, and how the small things are written: money, time spans, states."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from pydantic import BaseModel
from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from chassis.logs import redact
from contracts.values import JobState

THEME: Final = Theme(
    {
        "good": "green",
        "bad": "bold red",
        "warn": "yellow",
        "quiet": "dim",
        "name": "bold cyan",
        "head": "bold",
        "repr.number": "none",
    }
)
# All that a terminal may obey; tab and line feed only move on.
_STEERS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# Digits after the point; ISO 4217, and Telegram Stars have none.
EXPONENT: Final = {"XTR": 0, "JPY": 0, "KRW": 0, "VND": 0}
STATE_STYLES: Final = {
    JobState.CREATED: "quiet",
    JobState.SUBMITTING: "warn",
    JobState.RUNNING: "cyan",
    JobState.SUCCEEDED: "blue",
    JobState.DELIVERED: "good",
    JobState.FAILED: "red",
    JobState.UNDELIVERABLE: "bad",
    JobState.EXPIRED: "magenta",
    JobState.CANCELLED: "quiet",
}
WIDTH: Final = 100  # of panels; wider lines tire the eye
MINUTE, HOUR, DAY = 60, 3_600, 86_400


class Discreet(Console):
    """A console that no text on it can steer: what KIE or a user wrote holds no command to the terminal."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Drop the control characters of texts; colours and movements of our own are no text yet."""
        for segment in super().render(renderable, options):
            yield (
                segment
                if segment.control
                else Segment(_STEERS.sub("", segment.text), segment.style)
            )


def out() -> Console:
    """Return the console of answers; made anew, so that it writes to the stdout of now."""
    return Discreet(theme=THEME, highlight=False)


def err() -> Console:
    """Return the console of trouble and progress."""
    return Discreet(theme=THEME, highlight=False, stderr=True)


def complain(message: str, hint: str = "") -> None:
    """Say what is wrong and what to do about it, on stderr."""
    console = err()
    console.print(f"[bad]error:[/] {escape(redact(message))}", soft_wrap=True)
    if hint:
        console.print(f"[quiet] hint:[/] {escape(redact(hint))}", soft_wrap=True)


def print_json(value: BaseModel | Mapping[str, object]) -> None:
    """Print one object on one line, for programs."""
    text = (
        value.model_dump_json()
        if isinstance(value, BaseModel)
        else json.dumps(value, ensure_ascii=False)
    )
    out().print(text, markup=False, soft_wrap=True, emoji=False)


def table(*columns: str, title: str | None = None) -> Table:
    """Return an empty table in the one style.

    A column that begins with > is set to the right; one that ends with ! is never broken.
    """
    made = Table(
        title=title,
        box=box.SIMPLE_HEAD,
        header_style="head",
        title_justify="left",
        title_style="head",
        pad_edge=False,
    )
    for name in columns:
        made.add_column(
            name.removeprefix(">").removesuffix("!"),
            justify="right" if name.startswith(">") else "left",
            no_wrap=name.endswith("!"),
            overflow="fold",
        )
    return made


def state_text(state: str) -> Text:
    """Render a job's state in its colour."""
    known = state in set(JobState)
    return Text(state, style=STATE_STYLES[JobState(state)] if known else "")


def money_text(amount: int, currency: str) -> str:
    """Render minor units for a person: ``12.50 RUB``, ``40 XTR``."""
    digits = EXPONENT.get(currency, 2)
    if digits == 0:
        return f"{amount} {currency}"
    units, rest = divmod(abs(amount), 10**digits)
    return f"{'-' if amount < 0 else ''}{units}.{rest:0{digits}d} {currency}"


def span_text(seconds: float | None) -> str:
    """Render a length of time in its two largest units."""
    if seconds is None:
        return "–"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    if seconds < HOUR:
        return f"{int(seconds // MINUTE)} min {int(seconds % MINUTE)} s"
    if seconds < DAY:
        return f"{int(seconds // HOUR)} h {int(seconds % HOUR // MINUTE)} min"
    return f"{int(seconds // DAY)} d {int(seconds % DAY // HOUR)} h"


def moment_text(moment: datetime | None) -> str:
    """Render a moment in the reader's own time zone."""
    return "–" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
