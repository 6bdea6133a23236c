"""`sendonce wallet`: what a user has, paid and spent."""

from typing import Annotated
from uuid import uuid4

import typer

from contracts.api import StatementView, WalletRef, WalletView
from contracts.ops import CreditWallet, WalletStatement
from sendonce_cli.asking import desk
from sendonce_cli.by_hand import Who, Why, signed
from sendonce_cli.group import group, run
from sendonce_cli.screen import out, print_json
from sendonce_cli.screens.wallet import statement_screen, wallet_screen

app = group("wallet", "What a user has, paid and spent.")

User = Annotated[int, typer.Argument(min=1, help="The user's Telegram id.")]
Bot = Annotated[str, typer.Option(help="Whose user it is.")]
Currency = Annotated[str, typer.Option(help="Three letters; XTR is Telegram Stars.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print it as one object.")]


@app.command()
def show(
    user: User, bot: Bot = "default", currency: Currency = "RUB", as_json: AsJson = False
) -> None:
    """Show a balance, and what open jobs hold."""
    _print(run(_wallet(user, bot=bot, currency=currency)), as_json=as_json)


@app.command()
def topup(
    user: User,
    amount: Annotated[
        int, typer.Argument(min=1, help="In minor units: 1250 is 12.50 RUB, 40 is 40 XTR.")
    ],
    reference: Annotated[
        str,
        typer.Option(
            help="Names the payment: the same reference never credits twice. Made up when not given."
        ),
    ] = "",
    bot: Bot = "default",
    currency: Currency = "RUB",
    *,
    why: Why = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Credit a payment to a user."""
    named = reference or f"cli-{uuid4()}"
    by = signed(who=who, why=why)
    view = run(_topup(user, amount, by, reference=named, bot=bot, currency=currency))
    _print(view, as_json=as_json)
    if not as_json:
        out().print(f"[quiet]reference {named}[/]")


@app.command()
def statement(
    user: User, bot: Bot = "default", currency: Currency = "RUB", as_json: AsJson = False
) -> None:
    """Show the latest 100 lines of a user's ledger, newest first."""
    view = run(_statement(user, bot=bot, currency=currency))
    if as_json:
        print_json(view)
    else:
        out().print(statement_screen(view))


def _print(view: WalletView, *, as_json: bool) -> None:
    if as_json:
        print_json(view)
    else:
        out().print(wallet_screen(view))


async def _wallet(user: int, *, bot: str, currency: str) -> WalletView:
    async with desk() as asking:
        return await asking.bot(
            bot, "wallets.get", WalletRef, WalletView, user_id=user, currency=currency
        )


async def _topup(
    user: int, amount: int, by: dict[str, str], *, reference: str, bot: str, currency: str
) -> WalletView:
    async with desk() as asking:
        return await asking.ops(
            "wallets.topup",
            CreditWallet,
            WalletView,
            bot=bot,
            **by,
            user_id=user,
            currency=currency,
            amount=amount,
            reference=reference,
        )


async def _statement(user: int, *, bot: str, currency: str) -> StatementView:
    async with desk() as asking:
        return await asking.ops(
            "wallets.statement",
            WalletStatement,
            StatementView,
            bot=bot,
            user_id=user,
            currency=currency,
        )
