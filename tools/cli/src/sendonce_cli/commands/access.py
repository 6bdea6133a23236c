"""`sendonce access`: who may do what in NATS and in Postgres, as their own configuration."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from contracts.permissions import USERS, bot_user
from contracts.values import BotSlug
from sendonce_cli.access.conf import of_table
from sendonce_cli.access.keys import Keys
from sendonce_cli.group import group
from sendonce_cli.screen import err, out
from sendonce_cli.trouble import misuse

app = group("access", "Who may do what in NATS and Postgres, as their own configuration.")


@app.command()
def nats(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where the keys of the users are, or shall be.")
    ],
    bots: Annotated[
        list[str] | None,
        typer.Option("--bot", help="A bot that shall have a key; may be repeated."),
    ] = None,
    renew: Annotated[
        list[str] | None,
        typer.Option(
            help="A user that shall have a new key beside the one it has; may be repeated."
        ),
    ] = None,
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="Let nobody in by a key that was replaced.")
    ] = False,
) -> None:
    """Print NATS' authorization block: every user, and exactly the subjects it needs.

    Users without a key get one: [bold]DIR/job-store.nk[/] is the secret that job-store reads by SENDONCE_NATS_CREDS,
    [bold]DIR/job-store.pub[/] what the configuration is made of. Bots that have a key keep it.
    """
    keys = Keys(directory)
    try:
        made = keys.ensure([*USERS, *(bot_user(_slug(name)) for name in bots or ())])
        _renew(keys, renew or ())
        if drop_old:
            keys.drop_old()
        text = of_table(keys.known())
    except OSError as problem:
        raise misuse(
            f"cannot keep keys in {directory}: {problem.strerror}", hint="check its path and rights"
        ) from problem
    if made:
        err().print(f"made keys for {', '.join(made)} in {directory}", markup=False, soft_wrap=True)
    out().print(text, end="", markup=False, soft_wrap=True, emoji=False)


@app.command()
def postgres() -> None:
    """Print the roles of Postgres and their grants, as `sendonce migrate up` applies them."""
    from job_store.app import ROLES_AND_GRANTS  # noqa: PLC0415 - other commands start faster

    out().print(ROLES_AND_GRANTS, end="", markup=False, soft_wrap=True, emoji=False)


def _renew(keys: Keys, users: Iterable[str]) -> None:
    there = keys.known()
    for user in users:
        if user not in there:
            raise misuse(f"no user is named {user}", hint="there are " + ", ".join(there))
        keys.renew(user)


def _slug(name: str) -> str:
    try:
        return TypeAdapter(BotSlug).validate_python(name)
    except ValidationError as invalid:
        raise misuse(
            f"--bot {name}: no name of a bot",
            hint="a small letter, then up to 31 small letters, digits or hyphens",
        ) from invalid
