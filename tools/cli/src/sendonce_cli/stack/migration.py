"""Making, looking at and taking back the schema and the streams."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chassis import bus
from job_store.app import (
    MigrationError,
    consumer_specs,
    migrate_bus,
    migrate_database,
    stream_specs,
)
from sendonce_cli.asking import connect
from sendonce_cli.trouble import Trouble, misuse

INBOX: Final = "_INBOX.migrate"  # where the user `migrate` hears replies
NONE_PENDING: Final = "Pending: 0"  # dbmate's own words, like the next
APPLIED: Final = "[X] "


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is there, and what is missing."""

    schema: str | None  # None: there is no database
    drift: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        return not self.drift and (self.schema is None or NONE_PENDING in self.schema)


async def up(
    database_url: str | None, nats_url: str, *, creds: Path | None = None, replicas: int = 1
) -> list[str]:
    """Bring both to what this version needs; returns what was done. A journal needs no schema."""
    # Asked first, so that a NATS that is away is said before anything changes.
    await (await connect(nats_url, creds=creds)).close()
    said = []
    if database_url is not None:
        said = [await _schema(database_url, "up") or "the schema is up to date"]
    done = await migrate_bus(nats_url, creds=creds, replicas=replicas)
    return [*said, *(done or ["the streams are up to date"])]


async def status(
    database_url: str | None, nats_url: str, *, creds: Path | None = None, replicas: int = 1
) -> Standing:
    """Look at both and change nothing."""
    client = await connect(nats_url, creds=creds, inbox=INBOX)
    try:
        drift = await bus.check_streams(
            client.jetstream(), stream_specs(replicas=replicas), consumer_specs()
        )
    finally:
        await client.close()
    schema = None if database_url is None else await _schema(database_url, "status")
    return Standing(schema=schema, drift=tuple(drift))


async def schema_up(database_url: str) -> None:
    """Bring the schema alone to what this version needs."""
    await _schema(database_url, "up")


async def down(database_url: str, *, to: str | None = None) -> str:
    """Take back the newest migration of the schema, or one after the other all that are newer than ``to``."""
    if to is None:
        return await _schema(database_url, "down")
    applied = [
        line.removeprefix(APPLIED)
        for line in (await _schema(database_url, "status")).splitlines()
        if line.startswith(APPLIED)
    ]
    if not any(name.startswith(to) for name in applied):
        raise misuse(
            f"no migration {to} is applied", hint=f"the newest is {(applied or ['none'])[-1]}"
        )
    newer = [name for name in applied if name[: len(to)] > to]
    said = [await _schema(database_url, "down") for _ in newer]
    return "\n".join(said) or "nothing newer is applied"


async def _schema(database_url: str, command: str) -> str:
    try:
        return (await migrate_database(database_url, command)).strip()
    except MigrationError as refused:
        said = str(refused).splitlines() or ["dbmate said nothing"]
        raise Trouble(
            said[-1], hint="is Postgres there, and may this user change its tables?"
        ) from refused
