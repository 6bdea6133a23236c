"""`sendonce bots`: who shares this deployment."""

from typing import Annotated

import typer

from contracts.ops import AddBot, BotsView, BotView, ListBots
from sendonce_cli.asking import desk
from sendonce_cli.group import group, run
from sendonce_cli.screen import out, print_json
from sendonce_cli.screens.bots import bot_added, bots_screen

app = group("bots", "The bots that share this deployment.")


@app.command("list")
def list_bots(
    as_json: Annotated[bool, typer.Option("--json", help="Print them as one object.")] = False,
) -> None:
    """List every bot with its currency, language and accounts."""
    view = run(_list())
    if as_json:
        print_json(view)
    else:
        out().print(bots_screen(view))


@app.command()
def add(
    name: Annotated[
        str,
        typer.Argument(help="Lowercase letters, digits and dashes; stands in subjects and logs."),
    ],
    token_ref: Annotated[
        str,
        typer.Option(
            help="Which Telegram token: [bold]default[/] is SENDONCE_BOT_TOKEN, others are files."
        ),
    ] = "default",  # noqa: S107 - the name of a token, not one
    kie_account: Annotated[
        str,
        typer.Option(
            help="Which KIE key: [bold]default[/] is SENDONCE_KIE_API_KEY, others are files."
        ),
    ] = "default",
    currency: Annotated[str, typer.Option(help="Three letters; XTR is Telegram Stars.")] = "RUB",
    language: Annotated[
        str, typer.Option(help="Two letters; what users read where they chose nothing.")
    ] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Print it as one object.")] = False,
) -> None:
    """Register a bot, or change the fields of a known one.

    Tokens and keys are never stored: they are named, and the services read them from SENDONCE_SECRETS_DIR.
    """
    view = run(
        _add(
            slug=name,
            token_ref=token_ref,
            kie_account=kie_account,
            currency=currency,
            language=language,
        )
    )
    if as_json:
        print_json(view)
    else:
        out().print(bot_added(view))


async def _list() -> BotsView:
    async with desk() as asking:
        return await asking.ops("bots.list", ListBots, BotsView)


async def _add(**fields: str) -> BotView:
    async with desk() as asking:
        return await asking.ops("bots.add", AddBot, BotView, **fields)
