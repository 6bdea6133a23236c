"""What every change by hand shares: who and why, a dry run first, one request after the other with a bar."""

import getpass
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from contracts.repairs import MANY, Repaired, RepairsView
from sendonce_cli.screen import err, out, print_json
from sendonce_cli.screens.repairs import repaired_screen
from sendonce_cli.settings import chosen
from sendonce_cli.trouble import misuse

Why = Annotated[
    str, typer.Option("--why", "-m", help="The reason; it is kept with the change for ever.")
]
Who = Annotated[
    str,
    typer.Option(
        "--who", help="Who asks, when not SENDONCE_OPERATOR.", show_default="you, at this machine"
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one object.")]

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Who changes something, and why."""

    who: str
    why: str
    dry_run: bool

    def fields(self, *, dry_run: bool | None = None) -> dict[str, object]:
        """Return what every request of a change carries."""
        chosen = self.dry_run if dry_run is None else dry_run
        return {"who": self.who, "why": self.why, "dry_run": chosen}


def hand(*, who: str, why: str, dry_run: bool) -> Hand:
    """Return whose hand it is; a change needs a reason, a dry run does not."""
    if not why.strip() and not dry_run:
        raise misuse(
            "a change needs its reason", hint='say --why "token was wrong", or --dry-run to look'
        )
    return Hand(who=who or _me(), why=why or "only tried", dry_run=dry_run)


def signed(*, who: str, why: str) -> dict[str, str]:
    """Return who asks and why, of a change whose reason may stay unsaid."""
    return {"who": who or _me(), "why": why}


def _me() -> str:
    operator = chosen().operator
    if operator:
        return operator
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user id may have no name
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"


def tell(done: Sequence[Repaired], *, verb: str, by: Hand, as_json: bool) -> None:
    """Say what became of each that was named; one that was refused ends the command with 1."""
    if as_json:
        print_json(RepairsView(repaired=tuple(done)))
    else:
        out().print(repaired_screen(done, verb=verb, dry_run=by.dry_run))
    if not all(one.did for one in done):
        raise typer.Exit(1)


async def in_turn(
    named: Sequence[T], ask: Callable[[Sequence[T]], Awaitable[Sequence[R]]], *, doing: str
) -> list[R]:
    """Ask for many, so many at a time, with a bar on stderr while it lasts."""
    done: list[R] = []
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    console = err()
    hidden = not console.is_terminal or len(named) <= MANY
    with Progress(*columns, console=console, disable=hidden) as progress:
        bar = progress.add_task(doing, total=len(named))
        for some in _by_so_many(named):
            done += await ask(some)
            progress.advance(bar, len(some))
    return done


def _by_so_many(named: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(named), MANY):
        yield named[start : start + MANY]
