"""`sendonce status`: one screen, one verdict line."""

import asyncio
from typing import Annotated, Final, NoReturn

import typer
from rich.live import Live

from contracts.ops import AskStatus, StatusView
from sendonce_cli.asking import Desk, desk
from sendonce_cli.group import run
from sendonce_cli.screen import out, print_json
from sendonce_cli.screens.status import status_screen

EVERY: Final = 1.0  # seconds


def status(
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Keep looking, once a second, until Ctrl-C.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the numbers; with --watch one object a line.")
    ] = False,
) -> None:
    """Show at a glance whether jobs flow: bots, queues, what waits for a decision."""
    run(_status(watch=watch, as_json=as_json))


async def _status(*, watch: bool, as_json: bool) -> None:
    async with desk() as asking:
        first = await _ask(asking)
        if watch and out().is_terminal and not as_json:
            await _live(asking, first)
        show = print_json if as_json else _print
        show(first)
        while watch:  # a file or a pipe keeps every screen
            await asyncio.sleep(EVERY)
            show(await _ask(asking))


async def _live(asking: Desk, first: StatusView) -> NoReturn:
    with Live(status_screen(first), console=out(), screen=True, auto_refresh=False) as live:
        while True:
            await asyncio.sleep(EVERY)
            live.update(status_screen(await _ask(asking)), refresh=True)


def _print(view: StatusView) -> None:
    out().print(status_screen(view))


async def _ask(asking: Desk) -> StatusView:
    return await asking.ops("status", AskStatus, StatusView)
