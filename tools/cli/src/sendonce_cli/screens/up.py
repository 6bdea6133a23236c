"""What runs where, for the person who started it."""

from pathlib import Path
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from chassis.logs import redact
from sendonce_cli.screen import table
from sendonce_cli.stack.servers import Addresses
from sendonce_cli.stack.services import START_ORDER, ServicePlan
from sendonce_cli.stack.supply import NATS_PORT, SANDBOX_TOKEN, Outside

GIVEN_UP: Final = (
    "No database: one job-store on this machine, all state in its memory, no SQL;"
    " back up the directory while nothing runs."
)


def up_screen(
    addresses: Addresses, around: Outside, plans: dict[str, ServicePlan], *, logs: Path | None
) -> RenderableType:
    """Return every address, what is real and what is not, and what to do next."""
    pieces: list[RenderableType] = [_addresses(addresses, around, plans), _callbacks(around)]
    if addresses.journal is not None:
        pieces.append(Text(GIVEN_UP, style="warn"))
    if not addresses.nats_url.endswith(f":{NATS_PORT}"):
        pieces.append(
            Text.assemble(
                "for the other commands: ",
                (f"export SENDONCE_NATS_URL={addresses.nats_url}", "bold"),
            )
        )
    if around.telegram_url is not None:
        pieces.append(_for_bots(addresses.nats_url, around.telegram_url))
    if logs is not None:
        pieces.append(Text.assemble(("logs  ", "dim"), str(logs)))
    pieces.append(Text("Ctrl-C stops everything in order.", style="dim"))
    return Group(*pieces)


def _addresses(addresses: Addresses, around: Outside, plans: dict[str, ServicePlan]) -> Table:
    rows = table("what", "where", "")
    for column in rows.columns:
        column.no_wrap = True
    chats, kie = around.telegram_url, around.kie_url
    rows.add_row(
        _name("chats"), _page(chats) if chats else around.real_telegram, _played(chats, "sandbox")
    )
    rows.add_row(_name("KIE"), kie or around.real_kie, _played(kie, "sandbox"))
    rows.add_row(_name("callbacks"), f"{around.gateway_url}/callbacks/kie", "public")
    rows.add_row(
        _name("NATS"), _shown(addresses.nats_url), _whose(embedded=addresses.embedded_nats)
    )
    if addresses.journal is not None:
        rows.add_row(_name("journal"), Text(str(addresses.journal), overflow="fold"), "JSON lines")
    else:
        rows.add_row(
            _name("Postgres"),
            _shown(addresses.database_url),
            _whose(embedded=addresses.embedded_postgres),
        )
    rows.add_section()
    for name in START_ORDER:
        rows.add_row(name, plans[name].health_url, Text("/readyz", style="dim"))
    return rows


def _name(text: str) -> Text:
    return Text(text, style="name")


def _page(url: str) -> Text:
    return Text(url, style="bold underline")


def _played(url: str | None, what: str) -> Text:
    return Text(what) if url else Text("real", style="warn")


def _shown(url: str) -> Text:
    # As text: what hides a password looks like markup.
    return Text(redact(url))


def _whose(*, embedded: bool) -> Text:
    return Text("embedded") if embedded else Text("yours")


def _for_bots(nats_url: str, telegram_url: str) -> Text:
    """Return what a bot of yours needs to live in the sandbox; its token opens nothing else."""
    told = {"NATS_URL": nats_url, "TELEGRAM_API_URL": telegram_url, "BOT_TOKEN": SANDBOX_TOKEN}
    lines = [f"\n  export {name}={value}" for name, value in told.items()]
    return Text.assemble("for a bot of yours, as examples/bot reads it:", *lines)


def _callbacks(around: Outside) -> Text:
    if around.public_url is None:
        return Text(
            "No SENDONCE_PUBLIC_URL: KIE cannot call back, so every result is found by polling, some seconds later.",
            style="warn",
        )
    return Text.assemble("KIE calls back to ", (around.public_url, "bold"))
