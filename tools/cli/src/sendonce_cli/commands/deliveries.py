"""`sendonce deliveries`: results nobody knows of, and how a bot's deliveries stand still and go on."""

from typing import Annotated, Literal
from uuid import UUID

import typer

from contracts.repairs import ListUncertain, RepairsView, ResolvePart, UncertainView
from sendonce_cli.asking import desk
from sendonce_cli.by_hand import AsJson, DryRun, Hand, Who, Why, hand, tell
from sendonce_cli.commands.bots import Name, set_pause
from sendonce_cli.group import group, run
from sendonce_cli.screen import out, print_json
from sendonce_cli.screens.repairs import uncertain_screen
from sendonce_cli.trouble import misuse

app = group("deliveries", "Results on their way: which are uncertain, and a bot's stop and go.")


@app.command()
def uncertain(
    bot: Annotated[str | None, typer.Option(help="Only this bot's.", show_default=False)] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=500, help="How many, oldest first.")
    ] = 50,
    as_json: AsJson = False,
) -> None:
    """List results that may be in their chat or not: only a person who looks there can tell."""
    view = run(_uncertain(bot, limit))
    if as_json:
        print_json(view)
    else:
        out().print(uncertain_screen(view))


@app.command()
def resolve(
    result: Annotated[str, typer.Argument(help="Its id, as `deliveries uncertain` shows it.")],
    *,
    arrived: Annotated[bool, typer.Option("--arrived", help="It is in the chat.")] = False,
    send_again: Annotated[
        bool, typer.Option("--send-again", help="It is not; show it now.")
    ] = False,
    message_id: Annotated[
        int | None,
        typer.Option(min=1, help="Which message it is, when that is known.", show_default=False),
    ] = None,
    why: Why = "",
    who: Who = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Say what became of an uncertain result.

    It is sent again only when nothing of the call before can land any more.
    """
    if arrived == send_again:
        raise misuse("which of both?", hint="say --arrived or --send-again")
    by = hand(who=who, why=why, dry_run=dry_run)
    view = run(_resolve(_id(result), "arrived" if arrived else "send_again", message_id, by))
    verb = "settled as arrived" if arrived else "sent again"
    tell(view.repaired, verb=verb, by=by, as_json=as_json)


@app.command()
def pause(
    bot: Name, why: Why = "", who: Who = "", dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Stop all Telegram calls of a bot; its results wait, and nothing is lost."""
    by = hand(who=who, why=why, dry_run=dry_run)
    set_pause(bot, "deliveries", paused=True, by=by, as_json=as_json)


@app.command()
def resume(
    bot: Name, why: Why = "", who: Who = "", dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Let a bot's deliveries go on at once, also after its token was refused."""
    by = hand(who=who, why=why, dry_run=dry_run)
    set_pause(bot, "deliveries", paused=False, by=by, as_json=as_json)


def _id(name: str) -> UUID:
    try:
        return UUID(name)
    except ValueError as wrong:
        raise misuse(
            f"{name} is not the id of a result", hint="see `sendonce deliveries uncertain`"
        ) from wrong


async def _uncertain(bot: str | None, limit: int) -> UncertainView:
    async with desk() as asking:
        return await asking.ops(
            "deliveries.uncertain", ListUncertain, UncertainView, bot=bot, limit=limit
        )


async def _resolve(
    part_id: UUID, outcome: Literal["arrived", "send_again"], message_id: int | None, by: Hand
) -> RepairsView:
    async with desk() as asking:
        return await asking.ops(
            "deliveries.resolve",
            ResolvePart,
            RepairsView,
            part_id=part_id,
            outcome=outcome,
            message_id=message_id,
            **by.fields(),
        )
