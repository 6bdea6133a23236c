"""What is kept of a user, and what became of it."""

from rich.console import Group, RenderableType
from rich.text import Text

from contracts.users import UserExportView, UserForgottenView
from sendonce_cli.screen import table


def kept_screen(view: UserExportView) -> RenderableType:
    """Return one row a kind."""
    if not view.tables:
        return Text("nothing is kept of this user", style="dim")
    rows = table("kept!", ">rows!")
    for one in view.tables:
        rows.add_row(one.name, str(one.rows))
    return rows


def forgotten_screen(view: UserForgottenView, *, dry_run: bool) -> RenderableType:
    """Return how many jobs were emptied, or which are in the way."""
    if not view.did:
        pieces: list[RenderableType] = [Text(f"nothing forgotten: {view.reason}", style="warn")]
        pieces += [Text(f"  {job_id}") for job_id in view.in_the_way]
        hint = "wait for their end, or: sendonce jobs cancel JOB"
        return Group(*pieces, Text(hint, style="dim"))
    count = view.jobs + view.left
    jobs = "1 job" if count == 1 else f"{count} jobs"
    if dry_run:
        return Text(f"{jobs} would be emptied; amounts, states and ids stay")
    return Text(f"{jobs} emptied; amounts, states and ids stay", style="good")
