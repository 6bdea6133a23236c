"""`sendonce migrate`: the schema of Postgres and the streams of NATS."""

from typing import Annotated, Final

import typer

from sendonce_cli.group import group, run
from sendonce_cli.screen import out
from sendonce_cli.settings import Settings, Storage, chosen
from sendonce_cli.trouble import FAILED, misuse

NO_SCHEMA: Final = "the JSON storage has no schema"

app = group("migrate", "The schema of Postgres and the streams of NATS.")


@app.command()
def up() -> None:
    """Bring schema and streams to what this version needs; harmless when they are there already."""
    from sendonce_cli.stack import migration  # noqa: PLC0415 - other commands start faster

    settings = chosen()
    done = run(
        migration.up(
            _url(settings),
            settings.nats_url,
            creds=settings.nats_creds,
            replicas=settings.nats_replicas,
        )
    )
    out().print("\n".join(done), markup=False, soft_wrap=True)


@app.command()
def status() -> None:
    """Say which migrations are applied and whether the streams are right.

    Exit code 0 only when nothing is missing.
    """
    from sendonce_cli.stack import migration  # noqa: PLC0415 - other commands start faster

    settings = chosen()
    standing = run(
        migration.status(
            _url(settings),
            settings.nats_url,
            creds=settings.nats_creds,
            replicas=settings.nats_replicas,
        )
    )
    console = out()
    console.print(standing.schema or NO_SCHEMA, markup=False, soft_wrap=True)
    for line in standing.drift:
        console.print(f"[bad]streams:[/] {line}", soft_wrap=True)
    if not standing.drift:
        console.print("[good]streams:[/] as they should be")
    if not standing.is_complete:
        raise typer.Exit(FAILED)


@app.command()
def down(
    to: Annotated[
        str | None,
        typer.Option(
            metavar="MIGRATION",
            help="Take back all that are newer than this one, as `status` names it: with the command of"
            " the newer version, once the older one runs.",
            show_default="all but the newest",
        ),
    ] = None,
    *,
    yes: Annotated[
        bool, typer.Option("--yes", help="Really: what these migrations added goes, with its data.")
    ] = False,
) -> None:
    """Take back the newest migration of the schema; streams stay as they are."""
    from sendonce_cli.stack import migration  # noqa: PLC0415 - other commands start faster

    if not yes:
        raise misuse("this drops what was added, with its data", hint="say --yes if you mean it")
    url = _url(chosen())
    said = NO_SCHEMA if url is None else run(migration.down(url, to=to))
    out().print(said, markup=False, soft_wrap=True)


def _url(settings: Settings) -> str | None:
    if settings.storage is Storage.JSON:
        return None
    if settings.database_url is None:
        raise misuse(
            "SENDONCE_DATABASE_URL is not set",
            hint="name your Postgres there; the one that `sendonce up` embeds is migrated at its start",
        )
    return settings.database_url.get_secret_value()
