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


@app.command()
def secrets(  # noqa: PLR0917 - typer reads options from the signature
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where the secrets are, or shall be.")
    ],
    keys: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="What you bring: files kie_api_key and bot_token, kie_hmac_keys if KIE signs; "
            "kie/ACCOUNT and telegram/REFERENCE for further ones, alerts/NAME for Alertmanager.",
        ),
    ] = None,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Nothing is brought: for the sandboxes of a trial.")
    ] = False,
    bots: Annotated[
        str, typer.Option(help="Bots that shall have a key for NATS, separated by commas.")
    ] = "default",
    database_host: Annotated[
        str, typer.Option(help="Host of Postgres, with :port if it is not 5432.")
    ] = "postgres",
    database: Annotated[str, typer.Option(help="Name of the database.")] = "sendonce",
    owner: Annotated[
        int | None, typer.Option(help="Number of the user all of it is given to; only root may.")
    ] = None,
    give: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="A directory of a server to give to that user, too; may be repeated.",
        ),
    ] = None,
) -> None:
    """Make every secret of a deployment: a directory for each service, with its own and nobody else's.

    What you bring is copied at every call, so a replaced file is rotated in by calling again. What is made (keys of
    NATS, passwords of Postgres and Grafana, keys that sign callback addresses) is made once and kept.
    """
    from sendonce_cli.access import deployment  # noqa: PLC0415 - other commands start faster

    if (keys is None) is not sandbox:
        raise misuse("say either --keys DIR or --sandbox", hint="--sandbox needs no keys at all")
    brought = deployment.of_sandbox(directory) if keys is None else deployment.given(keys)
    made = deployment.Deployment(
        directory=directory,
        database_host=database_host,
        database=database,
        bots=tuple(_slug(name) for name in bots.split(",")),
        owner=owner,
    )
    try:
        made.write(brought)
        for volume in give or () if owner is not None else ():
            deployment.hand_over(volume, owner or 0)
    except OSError as problem:
        raise misuse(
            f"cannot keep secrets in {directory}: {problem}", hint="check its path and rights"
        ) from problem
    err().print(
        f"secrets for {', '.join(deployment.AUDIENCES)} in {directory}",
        markup=False,
        soft_wrap=True,
    )


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
