"""The end of a demo: what was promised, what was seen, and what is stuck."""

from pathlib import Path
from typing import Final

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from sendonce_cli.demo.pulse import Pulse
from sendonce_cli.demo.verdict import Verdict
from sendonce_cli.screen import WIDTH, span_text
from testkit.proof import Ending

SHOWN: Final = 12  # offenders that are named


def report(console: Console, verdict: Verdict, pulse: Pulse) -> None:
    """Print the table, then what is wrong, then the verdict."""
    console.print(_numbers(verdict, pulse))
    _offenders(console, verdict)
    console.print(_sentence(verdict))


def gave_up(console: Console, pulse: Pulse) -> None:
    """Say that time was up, and how much is left."""
    left = pulse.progress.wanted - pulse.last.ended
    console.print(f"[bad]gave up after {pulse.seconds:.0f} s:[/] {left} jobs have not ended")


def where_logs_are(console: Console, directory: Path) -> None:
    """Say where everything of the run was kept."""
    console.print(f"[quiet]logs and data of this run:[/] {directory}", soft_wrap=True)


def _numbers(verdict: Verdict, pulse: Pulse) -> Table:
    made = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    made.add_column(no_wrap=True)
    made.add_column(justify="right", no_wrap=True)
    made.add_column(style="dim")
    for name, value, remark in _rows(verdict):
        made.add_row(name, Text(str(value), style=_style(name, value)), remark)
    beat = pulse.last
    faults = f"{beat.kie_faults} KIE faults, {beat.outside.telegram_faults} Telegram faults"
    kills = f", {beat.kills} kills" if beat.kills else ""
    made.add_row(
        "time",
        span_text(verdict.seconds),
        f"{beat.outside.calls:,} Telegram calls, {faults}{kills}",
    )
    return made


def _rows(verdict: Verdict) -> tuple[tuple[str, object, str], ...]:
    ledger = "balanced" if verdict.ledger_balanced else "WRONG"
    return (
        ("jobs", verdict.jobs, "through three doors: create, expect, late attach"),
        ("succeeded", verdict.succeeded, "KIE made a result"),
        ("failed by provider", verdict.failed_by_provider, "told to the user, money returned"),
        ("expired", verdict.expired, "nothing heard in time, money returned"),
        ("delivered", verdict.delivered, "in the chat, and known to be"),
        ("shown once", verdict.shown_once, "in exactly one message ever, says Telegram"),
        ("shown twice", verdict.shown_twice, ""),
        ("lost", verdict.lost, ""),
        ("orphans matched", verdict.orphans_matched, "the callback came before its job"),
        ("polled", verdict.polled, "no callback came, KIE was asked"),
        ("uncertain", verdict.uncertain, "left to an operator, never sent again blindly"),
        ("ledger", ledger, "payments − sales = balances, nothing held"),
    )


def _style(name: str, value: object) -> str:
    match name:
        case "shown twice" | "lost":
            return "bad" if value else "bold green"
        case "ledger":
            return "bold green" if value == "balanced" else "bad"
        case "uncertain" | "expired":
            return "warn" if value else ""
        case "delivered" | "shown once":
            return "good"
        case _:
            return "bold" if name == "jobs" else ""


def _offenders(console: Console, verdict: Verdict) -> None:
    for title, found in (
        ("lost", [one for one in verdict.endings if one.is_lost]),
        ("shown twice", [one for one in verdict.endings if one.is_doubled]),
        (
            "shown, but not ended",
            [one for one in verdict.endings if one.is_open and not one.is_lost],
        ),
        ("expired", [one for one in verdict.endings if one.is_expired]),
    ):
        if found:
            console.print(_ending_lines(title, found), soft_wrap=True)
    for line in (*verdict.broken, *verdict.remarks)[:SHOWN]:
        console.print(Text.assemble(("  • ", "warn"), line), soft_wrap=True)


def _ending_lines(title: str, endings: list[Ending]) -> Text:
    """Name the jobs, one a line; a table would break their ids."""
    lines = Text.assemble((f"{title}: {len(endings)}\n", "head"))
    for ending in endings[:SHOWN]:
        job = ending.job
        parts = ", ".join(part.state for part in job.parts) if job else ""
        made = ", ".join(made.task.state for made in ending.generations)
        lines.append_text(
            Text.assemble(
                (f"  {job.id if job else 'never made'}", "name"),
                f"  {ending.asked.key}  {ending.state or '–'}",
                f" · parts {parts or 'none'} · KIE {made or 'no task'}",
                f" · seen {_messages(ending) or '–'}\n",
            )
        )
    if len(endings) > SHOWN:
        lines.append(f"  and {len(endings) - SHOWN} more\n", style="dim")
    return lines


def _messages(ending: Ending) -> str:
    """Say in how many messages each result ever stood."""
    results = (seen for made in ending.generations for seen in made.results)
    return ", ".join(
        f"{seen.ever}" if seen.is_visible or not seen.ever else f"{seen.ever}, gone"
        for seen in results
    )


def _sentence(verdict: Verdict) -> Panel:
    if verdict.is_clean:
        text = (
            "[good]Nothing lost, nothing shown twice, no money wrong:[/] "
            f"{verdict.shown_once} of {verdict.succeeded} results stand in exactly one message."
        )
        return Panel(text, border_style="green", width=WIDTH)
    wrong = [f"{verdict.lost} lost"] * bool(verdict.lost)
    wrong += [f"{verdict.shown_twice} shown twice"] * bool(verdict.shown_twice)
    wrong += ["the ledger does not balance"] * (not verdict.ledger_balanced)
    wrong += ["a law does not hold"] * bool(verdict.broken and not wrong)
    return Panel(
        f"[bad]The promise was broken:[/] {', '.join(wrong)}.", border_style="red", width=WIDTH
    )
