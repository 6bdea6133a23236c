"""`sendonce audit`: what was changed by hand."""

from typing import Annotated

import typer

from contracts.repairs import AuditView, ListAudit
from sendonce_cli.asking import desk
from sendonce_cli.by_hand import AsJson
from sendonce_cli.commands.jobs import find
from sendonce_cli.group import run
from sendonce_cli.screen import out, print_json
from sendonce_cli.screens.repairs import audit_screen


def audit(
    job: Annotated[
        str | None,
        typer.Option(help="Only of this job: id, short name or key.", show_default=False),
    ] = None,
    bot: Annotated[str, typer.Option(help="Whose key it is.")] = "default",
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=500, help="How many, newest first.")
    ] = 50,
    as_json: AsJson = False,
) -> None:
    """Show what operators changed by hand: when, who, what and why."""
    view = run(_audit(job, bot=bot, limit=limit))
    if as_json:
        print_json(view)
    else:
        out().print(audit_screen(view))


async def _audit(job: str | None, *, bot: str, limit: int) -> AuditView:
    async with desk() as asking:
        job_id = None if job is None else await find(asking, job, bot=bot)
        return await asking.ops("audit.list", ListAudit, AuditView, job_id=job_id, limit=limit)
