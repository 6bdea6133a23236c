"""`sendonce dead`: messages that nobody could read or apply."""

from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from contracts.repairs import (
    DeadLettersView,
    DeadStory,
    ListDead,
    SettledDead,
    SettledDeadView,
    SettleDead,
    ShowDead,
)
from sendonce_cli.asking import Desk, desk
from sendonce_cli.by_hand import AsJson, DryRun, Hand, Who, Why, Yes, hand, in_turn
from sendonce_cli.group import group, run
from sendonce_cli.screen import out, print_json
from sendonce_cli.screens.repairs import dead_screen, dead_story_screen, settled_screen
from sendonce_cli.trouble import misuse

app = group("dead", "Messages nobody could read or apply: kept, shown, put onto the bus again.")

PAGE = 500

Ids = Annotated[list[int] | None, typer.Argument(help="Their ids.", show_default=False)]
Reason = Annotated[
    str | None, typer.Option(help="All whose reason contains this.", show_default=False)
]
First = Annotated[int | None, typer.Option(min=1, help="From this id on.", show_default=False)]
Last = Annotated[int | None, typer.Option(min=1, help="Up to this id.", show_default=False)]


@app.command("list")
def list_dead(
    reason: Reason = None,
    settled: Annotated[
        bool, typer.Option("--settled", help="Also those somebody has seen to.")
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=PAGE, help="How many, newest first.")
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """List the newest dead letters that wait for somebody."""
    view = run(_list(reason=reason, settled=settled, limit=limit))
    if as_json:
        print_json(view)
    else:
        out().print(dead_screen(view))


@app.command()
def show(
    letter: Annotated[int, typer.Argument(min=1, help="Its id.")], as_json: AsJson = False
) -> None:
    """Show one with its bytes and why it is dead."""
    story = run(_show(letter))
    if as_json:
        print_json(story)
    else:
        out().print(dead_story_screen(story))


@app.command()
def replay(
    ids: Ids = None,
    *,
    reason: Reason = None,
    first: First = None,
    last: Last = None,
    why: Why = "",
    who: Who = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Put dead letters onto the bus again, after what killed them was mended.

    What was applied before changes nothing; one that dies again is a new dead letter.
    """
    _settle(
        "replay",
        ids,
        reason,
        first,
        last,
        hand(who=who, why=why, dry_run=dry_run),
        yes=yes,
        as_json=as_json,
    )


@app.command()
def discard(
    ids: Ids = None,
    *,
    reason: Reason = None,
    first: First = None,
    last: Last = None,
    why: Why = "",
    who: Who = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Say that nothing is to be done about them. They stay, and are no trouble any more."""
    _settle(
        "discard",
        ids,
        reason,
        first,
        last,
        hand(who=who, why=why, dry_run=dry_run),
        yes=yes,
        as_json=as_json,
    )


def _settle(
    how: Literal["replay", "discard"],
    ids: Sequence[int] | None,
    reason: str | None,
    first: int | None,
    last: int | None,
    by: Hand,
    *,
    yes: bool,
    as_json: bool,
) -> None:
    if not ids and reason is None and first is None and last is None:
        raise misuse(f"{how} what?", hint="name ids, or --reason, --first, --last")
    verb = "replayed" if how == "replay" else "discarded"
    named = list(ids or []) or run(_matching(reason, first, last))
    if not by.dry_run and not ids and not yes and named:
        typer.confirm(f"{len(named)} dead letters will be {verb}. Go on?", abort=True)
    done = run(_settled(how, named, by))
    if as_json:
        print_json(SettledDeadView(letters=tuple(done)))
    else:
        out().print(settled_screen(done, verb=verb, dry_run=by.dry_run))
    if not all(one.did for one in done):
        raise typer.Exit(1)


async def _list(*, reason: str | None, settled: bool, limit: int) -> DeadLettersView:
    async with desk() as asking:
        return await asking.ops(
            "dead.list", ListDead, DeadLettersView, reason=reason, settled=settled, limit=limit
        )


async def _show(letter: int) -> DeadStory:
    async with desk() as asking:
        return await asking.ops("dead.show", ShowDead, DeadStory, id=letter)


async def _matching(reason: str | None, first: int | None, last: int | None) -> list[int]:
    """Name all open ones that match, page after page from the newest."""
    async with desk() as asking:
        found: list[int] = []
        while True:
            upto = found[-1] - 1 if found else last
            if upto is not None and upto < max(first or 1, 1):
                return found
            page = await _page(asking, reason, first, upto)
            found += [letter.id for letter in page.letters]
            if len(page.letters) < PAGE:
                return found


async def _page(
    asking: Desk, reason: str | None, first: int | None, last: int | None
) -> DeadLettersView:
    return await asking.ops(
        "dead.list", ListDead, DeadLettersView, reason=reason, first=first, last=last, limit=PAGE
    )


async def _settled(how: str, named: Sequence[int], by: Hand) -> list[SettledDead]:
    async with desk() as asking:

        async def ask(some: Sequence[int]) -> Sequence[SettledDead]:
            view = await asking.ops(
                "dead.settle",
                SettleDead,
                SettledDeadView,
                ids=tuple(some),
                settle=how,
                **by.fields(),
            )
            return view.letters

        return await in_turn(named, ask, doing=how)
