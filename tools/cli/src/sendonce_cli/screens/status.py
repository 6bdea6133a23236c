"""One screen of the whole system."""

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from contracts.ops import BotStatus, StatusView
from contracts.values import JobState
from sendonce_cli.screen import STATE_STYLES, moment_text, span_text, table


def status_screen(view: StatusView) -> RenderableType:
    """Return the verdict, the bots and the queues."""
    return Group(
        _verdict(view), _bots(view.bots), Columns([_flow(view), _decisions(view)], padding=(0, 4))
    )


def _verdict(view: StatusView) -> Text:
    mark, style = ("●", "good") if view.healthy else ("▲", "bad")
    return Text.assemble((f"{mark} {view.verdict}", style), (f"   {moment_text(view.at)}", "dim"))


def _bots(bots: tuple[BotStatus, ...]) -> RenderableType:
    if not bots:
        return Text(
            "\nno bots yet: `sendonce bots add NAME`, or set SENDONCE_BOT_TOKEN\n", style="warn"
        )
    present = [state for state in JobState if any(bot.by_state.get(state) for bot in bots)]
    rows = table("bot!", ">open!", ">oldest!", *(f">{state}!" for state in present))
    for bot in bots:
        counts = (
            Text(f"{bot.by_state.get(state, 0):,}", style=STATE_STYLES[state]) for state in present
        )
        rows.add_row(
            Text(bot.bot, style="name"),
            f"{bot.open_jobs:,}",
            span_text(bot.oldest_open_seconds),
            *counts,
        )
    return rows


def _flow(view: StatusView) -> Table:
    outbox = f"{view.outbox_rows:,}" + (
        f" (oldest {span_text(view.outbox_oldest_seconds)})" if view.outbox_oldest_seconds else ""
    )
    return _pairs(
        "on its way",
        (
            ("due now", f"{view.effects_due:,}", ""),
            ("being done", f"{view.effects_acting:,}", ""),
            ("outbox", outbox, ""),
            ("callbacks heard", f"{view.callbacks:,}", ""),
            ("polls answered", f"{view.polls:,}", ""),
            *(("told to wait", line, "warn") for line in _told_to_wait(view)),
            *(
                (f"KIE credits, {account}", f"{left:,.0f}", "")
                for account, left in view.credits.items()
            ),
        ),
    )


def _told_to_wait(view: StatusView) -> list[str]:
    """Name whom a 429 or a silent KIE holds back, if it does anybody."""
    names = {"bot": "bot", "chat": "chat", "group": "group", "creates": "KIE account"}
    told = [
        f"{count:,} {names.get(kind, kind)}{'s' if count > 1 else ''}"
        for kind, count in view.told_to_wait.items()
    ]
    return [", ".join(told)] if told else []


def _decisions(view: StatusView) -> Table:
    return _pairs(
        "waiting for somebody",
        (
            (
                "results uncertain",
                f"{view.parts_uncertain:,}",
                "bad" if view.parts_uncertain else "",
            ),
            (
                "submissions uncertain",
                f"{view.submissions_uncertain:,}",
                "warn" if view.submissions_uncertain else "",
            ),
            ("parked, user blocked the bot", f"{view.parts_parked:,}", ""),
            ("orphans waiting", f"{view.orphans_waiting:,}", ""),
            ("dead letters", f"{view.dead_letters:,}", "bad" if view.dead_letters else ""),
            *(("paused", line, "bad") for line in view.paused),
        ),
    )


def _pairs(title: str, pairs: tuple[tuple[str, str, str], ...]) -> Table:
    grid = Table(
        title=title,
        title_justify="left",
        title_style="head",
        box=None,
        show_header=False,
        pad_edge=False,
    )
    grid.add_column(style="quiet")
    grid.add_column(justify="right")
    for name, value, style in pairs:
        grid.add_row(name, Text(value, style=style))
    return grid
