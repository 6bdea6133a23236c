"""The end of a demo: what was promised, what was seen, and what is stuck."""

from pathlib import Path
from typing import Final

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from sendonce_cli.demo.pulse import Pulse
from sendonce_cli.demo.verdict import Ending, Verdict
from sendonce_cli.screen import span_text, table

SHOWN: Final = 12  # offenders that are named


def report(console: Console, verdict: Verdict, pulse: Pulse) -> None:
    """Print the table, then what is wrong, then the verdict."""
    console.print()
    console.print(_numbers(verdict, pulse))
    _offenders(console, verdict)
    console.print(_sentence(verdict))


def _numbers(verdict: Verdict, pulse: Pulse) -> Table:
    beat = pulse.last
    made = table("", ">", "")
    rows = (
        ("jobs", verdict.jobs, "asked for through three doors: create, expect, late attach"),
        ("succeeded", verdict.succeeded, "KIE made a result"),
        ("failed by provider", verdict.failed_by_provider, "told to the user, hold returned"),
        ("expired", verdict.expired, "no answer and no callback in time, hold returned"),
        ("delivered", verdict.delivered, "in the chat, and known to be"),
        ("shown once", verdict.shown_once, "seen by the sandbox Telegram in exactly one message, ever"),
        ("shown twice", verdict.shown_twice, ""),
        ("lost", verdict.lost, ""),
        ("orphans matched", verdict.orphans_matched, "the callback came before its job was known"),
        ("polled", verdict.polled, "no callback came, KIE was asked"),
        ("uncertain", verdict.uncertain, "left to an operator, never shown again blindly"),
        ("ledger", "balanced" if verdict.ledger_balanced else "WRONG", "payments − sales = balances, nothing held"),
    )
    for name, value, remark in rows:
        made.add_row(name, Text(str(value), style=_style(name, value)), Text(remark, style="dim"))
    faults = f"{beat.telegram_faults} Telegram faults, {beat.kills} kills"
    made.add_row("time", span_text(verdict.seconds), Text(f"{beat.calls:,} Telegram calls, {faults}", style="dim"))
    return made


def _style(name: str, value: object) -> str:
    match name:
        case "shown twice" | "lost":
            return "bold red" if value else "bold green"
        case "ledger":
            return "bold green" if value == "balanced" else "bold red"
        case "uncertain":
            return "yellow" if value else ""
        case "delivered" | "shown once":
            return "green"
        case _:
            return "bold" if name == "jobs" else ""


def _offenders(console: Console, verdict: Verdict) -> None:
    for title, found in (
        ("lost", [ending for ending in verdict.endings if ending.is_lost]),
        ("shown twice", [ending for ending in verdict.endings if ending.is_doubled]),
        ("expired", [ending for ending in verdict.endings if ending.is_expired]),
    ):
        if found:
            console.print(_ending_table(title, found))
    for line in (*verdict.unbalanced, *verdict.findings)[:SHOWN]:
        console.print(f"  [warn]•[/] {line}", soft_wrap=True)


def _ending_table(title: str, endings: list[Ending]) -> Table:
    made = table("job", "key", "state", "parts", "KIE", "messages", title=f"{title}: {len(endings)}")
    for ending in endings[:SHOWN]:
        job = ending.job
        made.add_row(
            str(job.id) if job else "never made",
            ending.errand.key,
            str(job.state) if job else "–",
            ", ".join(part.state for part in job.parts) if job else "–",
            ", ".join(f"{task.state}" for task in ending.tasks) or "no task",
            ", ".join(f"{seen.ever}{'' if seen.is_visible else ' (gone)'}" for seen in ending.sightings) or "–",
        )
    return made


def _sentence(verdict: Verdict) -> Panel:
    if verdict.is_clean:
        return Panel(
            f"[good]Nothing lost, nothing shown twice, no money wrong:[/] "
            f"{verdict.shown_once} of {verdict.succeeded} results stand in exactly one message.",
            border_style="green",
            width=100,
        )
    wrong = [f"{verdict.lost} lost"] * bool(verdict.lost)
    wrong += [f"{verdict.shown_twice} shown twice"] * bool(verdict.shown_twice)
    wrong += ["the ledger does not balance"] * (not verdict.ledger_balanced)
    return Panel(f"[bad]The promise was broken:[/] {', '.join(wrong)}.", border_style="red", width=100)


def where_logs_are(console: Console, directory: Path) -> None:
    """Say where everything of the run was kept."""
    console.print(f"[quiet]logs and data of this run:[/] {directory}", soft_wrap=True)
