"""`sendonce export` and `import`: everything that is kept, from one storage to another."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from sendonce_cli.group import run
from sendonce_cli.screen import out, print_json
from sendonce_cli.settings import Storage, chosen

if TYPE_CHECKING:
    from job_store.app import Tally

FILE: Final[Any] = typer.Argument(
    dir_okay=False, help="Holds everything: prompts, chats and money. Keep it as such."
)
FROM: Final[Any] = typer.Option(
    "--storage", help="Which storage; SENDONCE_STORAGE unless it is said here."
)
JSON: Final[Any] = typer.Option("--json", help="Print counts and sums as one object.")


def export_file(
    file: Annotated[Path, FILE],
    storage: Annotated[Storage | None, FROM] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Write everything that is kept into a file: jobs, orphans, wallets, ledger and all the rest.

    Stop the system first: what happens after the moment of the export is not in it, and a journal
    that is in use is refused.
    """
    from sendonce_cli.stack.moving import into_file  # noqa: PLC0415 - other commands start faster

    settings = chosen()
    _say(run(into_file(settings, storage or settings.storage, file)), as_json=as_json)


def import_file(
    file: Annotated[Path, FILE],
    storage: Annotated[Storage | None, FROM] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Read such a file into an empty storage, before the system is started on it.

    All of it or nothing: counts and sums are compared with those in the file. In Postgres the
    schema is made first.
    """
    from sendonce_cli.stack.moving import from_file  # noqa: PLC0415 - other commands start faster

    settings = chosen()
    _say(run(from_file(settings, storage or settings.storage, file)), as_json=as_json)


def _say(tally: "Tally", *, as_json: bool) -> None:
    told = tally.as_json()
    if as_json:
        print_json(told)
        return
    for counts in told.values():
        for name, count in counts.items():
            out().print(f"{count:>12,}  [name]{name}[/]", soft_wrap=True)
