"""`sendonce orphans`: callbacks whose job is not known (yet)."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

import typer

from contracts.api import OrphansView
from contracts.ops import ListOrphans, OrphanStory, ShowOrphan
from sendonce_cli.asking import desk
from sendonce_cli.group import group, run
from sendonce_cli.screen import out, print_json
from sendonce_cli.screens.orphans import orphan_screen, orphans_screen
from sendonce_cli.trouble import Trouble

app = group("orphans", "Callbacks whose job is not known (yet).")


class OrphanState(StrEnum):
    WAITING = "waiting"
    MATCHED = "matched"
    EXPIRED = "expired"


@app.command("list")
def list_orphans(
    state: Annotated[OrphanState | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=500, help="How many, newest first.")
    ] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as one object.")] = False,
) -> None:
    """List the newest orphans."""
    view = run(_list(state=state, limit=limit))
    if as_json:
        print_json(view)
    else:
        out().print(orphans_screen(view))


@app.command()
def show(
    orphan: Annotated[str, typer.Argument(help="Its id, or the task id it is about.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print it as one object.")] = False,
) -> None:
    """Show one orphan with the messages that made it."""
    story = run(_show(orphan))
    if as_json:
        print_json(story)
    else:
        out().print(orphan_screen(story))


async def _list(*, state: OrphanState | None, limit: int) -> OrphansView:
    async with desk() as asking:
        return await asking.ops("orphans.list", ListOrphans, OrphansView, state=state, limit=limit)


async def _show(name: str) -> OrphanStory:
    async with desk() as asking:
        try:
            orphan_id = UUID(name)
        except ValueError:
            known = await asking.ops("orphans.list", ListOrphans, OrphansView, limit=500)
            found = [orphan.id for orphan in known.orphans if orphan.task_id == name]
            if not found:
                raise Trouble(
                    f"no orphan is about task {name}", hint="see `sendonce orphans list`"
                ) from None
            orphan_id = found[0]
        return await asking.ops("orphans.show", ShowOrphan, OrphanStory, orphan_id=orphan_id)
