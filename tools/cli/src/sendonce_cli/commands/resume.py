"""`sendonce resume --after-restore`: the way back when Postgres is older than what was acknowledged."""

import asyncio
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from contracts.ops import Resume, ResumeView
from sendonce_cli.asking import Desk, desk
from sendonce_cli.group import run
from sendonce_cli.screen import out, print_json
from sendonce_cli.trouble import misuse

LOOK_EVERY: Final = 0.3  # seconds
STEPS: Final = {
    "found": "waiting for you",
    "reports": "applying reports again",
    "outcomes": "applying outcomes again",
}


def resume(
    after_restore: Annotated[
        bool,
        typer.Option(
            "--after-restore",
            help="Apply reports and outcomes again, then hand out what is due.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how it stands; change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one object.")] = False,
) -> None:
    """Go on after Postgres was restored from a backup.

    job-store holds everything when Postgres does not know what was acknowledged to NATS. This has
    NATS deliver again what came after the backup, so that what was shown is known and not shown twice.
    """
    if not (after_restore or dry_run):
        raise misuse("say --after-restore, or --dry-run to look first")
    view = run(_stand())
    if view.held and not dry_run:
        if not as_json:
            _explain(out(), view)
        if not yes:
            typer.confirm("Apply everything after the backup again and go on?", abort=True)
        view = run(_through(show=not as_json))
    if as_json:
        print_json(view)
    elif not view.held:
        out().print("[good]Nothing is held:[/] everything due is handed out.")
    elif dry_run:
        _explain(out(), view)


async def _stand() -> ResumeView:
    async with desk() as asking:
        return await asking.ops("resume", Resume, ResumeView)


async def _through(*, show: bool) -> ResumeView:
    async with desk() as asking:
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=out(),
            disable=not show or not out().is_terminal,
        ) as progress:
            return await _advance(asking, progress)


async def _advance(asking: Desk, progress: Progress) -> ResumeView:
    """Ask for the next step until nothing is held; every answer says how much is left."""
    phase, bar, most = "", None, 0
    while True:
        view = await asking.ops("resume", Resume, ResumeView, advance=True)
        if not view.held:
            return view
        if view.phase != phase:
            phase, most = view.phase, view.pending
            bar = progress.add_task(STEPS[phase], total=most)
        if bar is not None:
            progress.update(bar, completed=max(most - view.pending, 0))
        await asyncio.sleep(LOOK_EVERY)


def _explain(console: Console, view: ResumeView) -> None:
    """Say what is held, why, and what may happen twice."""
    found = view.found_at.isoformat(timespec="seconds") if view.found_at else "?"
    console.print(
        f"[warn]Held since {found}:[/] Postgres does not know {view.missing}, which"
        f" {view.durable} had acknowledged. It was restored to an earlier moment."
    )
    console.print(f"step: {STEPS.get(view.phase, view.phase)}, {view.pending} messages to go")
    for title, jobs in (
        ("may be asked of KIE, or posted, a second time", view.may_repeat),
        ("made after the backup, only their callbacks are known", view.unknown_jobs),
    ):
        if jobs:
            console.print(f"[head]{title}:[/] {len(jobs)}")
            for job in jobs:
                console.print(f"  {job}")
