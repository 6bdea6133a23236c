"""`sendonce orphans`: callbacks whose job is not known (yet)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import typer

from contracts.api import JobView, MatchOrphan, OrphansView
from contracts.ops import ListOrphans, OrphanStory, ShowOrphan
from contracts.repairs import ExpireOrphans, Repaired, RepairsView
from sendonce_cli.asking import Desk, desk
from sendonce_cli.by_hand import AsJson, DryRun, Hand, Who, Why, hand, in_turn, signed, tell
from sendonce_cli.commands.jobs import find
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


@app.command()
def match(
    orphan: Annotated[str, typer.Argument(help="Its id, or the task id it is about.")],
    job: Annotated[str, typer.Argument(help="The job whose task it is: id, short name or key.")],
    bot: Annotated[str, typer.Option(help="Whose key it is.")] = "default",
    why: Why = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Say by hand whose an orphan is; its callbacks are applied at once."""
    view = run(_match(orphan, job, signed(who=who, why=why), bot=bot))
    if as_json:
        print_json(view)
    else:
        out().print(f"[name]{view.label}[/] {view.state}: the orphan was matched")


@app.command()
def expire(
    orphans: Annotated[list[str], typer.Argument(help="Their ids, or task ids.")],
    why: Why = "",
    who: Who = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Give up waiting for their jobs; they can still be matched."""
    by = hand(who=who, why=why, dry_run=dry_run)
    done = run(_expire(orphans, by))
    tell(done, verb="expired", by=by, as_json=as_json)


async def _match(name: str, job: str, by: dict[str, str], *, bot: str) -> JobView:
    async with desk() as asking:
        orphan_id = await _find(asking, name)
        job_id = await find(asking, job, bot=bot)
        return await asking.ops(
            "orphans.match", MatchOrphan, JobView, orphan_id=orphan_id, job_id=job_id, **by
        )


async def _expire(names: Sequence[str], by: Hand) -> list[Repaired]:
    async with desk() as asking:
        named = [await _find(asking, name) for name in names]

        async def ask(some: Sequence[UUID]) -> Sequence[Repaired]:
            view = await asking.ops(
                "orphans.expire", ExpireOrphans, RepairsView, orphan_ids=tuple(some), **by.fields()
            )
            return view.repaired

        return await in_turn(named, ask, doing="orphans.expire")


async def _list(*, state: OrphanState | None, limit: int) -> OrphansView:
    async with desk() as asking:
        return await asking.ops("orphans.list", ListOrphans, OrphansView, state=state, limit=limit)


async def _show(name: str) -> OrphanStory:
    async with desk() as asking:
        orphan_id = await _find(asking, name)
        return await asking.ops("orphans.show", ShowOrphan, OrphanStory, orphan_id=orphan_id)


async def _find(asking: Desk, name: str) -> UUID:
    """Find an orphan by its own id or its task's."""
    try:
        return UUID(name)
    except ValueError:
        known = await asking.ops("orphans.list", ListOrphans, OrphansView, limit=500)
    found = [orphan.id for orphan in known.orphans if orphan.task_id == name]
    if not found:
        raise Trouble(f"no orphan is about task {name}", hint="see `sendonce orphans list`")
    return found[0]
