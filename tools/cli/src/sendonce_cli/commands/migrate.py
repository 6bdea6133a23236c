"""`sendonce migrate`: the schema of Postgres and the streams of NATS."""

from typing import Annotated

import typer

from chassis import bus
from job_store.migrate import (
    MigrationError,
    consumer_specs,
    migrate_bus,
    migrate_database,
    stream_specs,
)
from sendonce_cli.asking import connect
from sendonce_cli.group import group, run
from sendonce_cli.screen import out
from sendonce_cli.settings import Settings, chosen
from sendonce_cli.trouble import FAILED, Trouble, misuse

app = group("migrate", "The schema of Postgres and the streams of NATS.")


@app.command()
def up() -> None:
    """Bring schema and streams to what this version needs; harmless when they are there already."""
    run(_up(chosen()))


@app.command()
def status() -> None:
    """Say which migrations are applied and whether the streams are right; exit code 1 when something is missing."""
    if not run(_status(chosen())):
        raise typer.Exit(FAILED)


@app.command()
def down(
    yes: Annotated[
        bool, typer.Option("--yes", help="Really: the newest migration's tables and data go.")
    ] = False,
) -> None:
    """Take back the newest migration of the schema; streams stay as they are."""
    if not yes:
        raise misuse("this drops tables with their data", hint="say --yes if you mean it")
    out().print(run(_database(chosen(), "down")).strip(), markup=False)


async def _up(settings: Settings) -> None:
    _url(settings)
    # Asked first, so that a NATS that is away is said before anything changes.
    await (await connect(settings.nats_url, creds=settings.nats_creds)).close()
    said = await _database(settings, "up")
    console = out()
    console.print(said.strip() or "the schema is up to date", markup=False)
    done = await migrate_bus(settings.nats_url, creds=settings.nats_creds)
    console.print("\n".join(done) or "the streams are up to date", markup=False)


async def _status(settings: Settings) -> bool:
    console = out()
    said = await _database(settings, "status")
    console.print(said.strip(), markup=False)
    client = await connect(settings.nats_url, creds=settings.nats_creds)
    try:
        drift = await bus.check_streams(client.jetstream(), stream_specs(), consumer_specs())
    finally:
        await client.close()
    for line in drift:
        console.print(f"[bad]streams:[/] {line}", soft_wrap=True)
    if not drift:
        console.print("[good]streams:[/] as they should be")
    return not drift and "Pending: 0" in said


async def _database(settings: Settings, command: str) -> str:
    try:
        return await migrate_database(_url(settings), command)
    except MigrationError as refused:
        said = str(refused).splitlines() or ["dbmate said nothing"]
        raise Trouble(
            said[-1], hint="is Postgres there, and may this user make tables?"
        ) from refused


def _url(settings: Settings) -> str:
    if settings.database_url is None:
        raise misuse(
            "SENDONCE_DATABASE_URL is not set", hint="postgresql://user:password@host:port/name"
        )
    return settings.database_url.get_secret_value()
