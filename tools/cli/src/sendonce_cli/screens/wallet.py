"""A wallet and its statement."""

from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from contracts.api import LedgerLine, StatementView, WalletView
from contracts.values import label
from sendonce_cli.screen import moment_text, money_text, table


def wallet_screen(view: WalletView) -> RenderableType:
    """Return one line: free and held."""
    return Text.assemble(
        (f"user {view.user_id}  ", "name"),
        (money_text(view.balance, view.currency), "bold"),
        " free, ",
        money_text(view.held, view.currency),
        " held for open jobs",
    )


# What a line does to the balance; a capture takes what was held already.
SIGNS: Final = {"topup": "+", "refund": "+", "release": "+", "hold": "-"}


def statement_screen(view: StatementView) -> RenderableType:
    """Return the ledger under the balance."""
    if not view.lines:
        return Group(wallet_screen(view.wallet), Text("nothing has happened yet", style="dim"))
    rows = table(">#!", "at!", "what!", ">amount!", "for")
    for line in view.lines:
        rows.add_row(
            str(line.id),
            moment_text(line.at),
            line.kind,
            SIGNS.get(line.kind, "") + money_text(line.amount, view.wallet.currency),
            Text(_purpose(line), style="dim"),
        )
    return Group(wallet_screen(view.wallet), rows)


def _purpose(line: LedgerLine) -> str:
    return f"job {label(line.job_id)}" if line.job_id else line.reference or ""
