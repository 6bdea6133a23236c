"""Phase 5: the schema and the streams are those this version was made for."""

from typing import Final

from chassis import bus
from contracts.ops import AskSchema, SchemaView
from job_store.app import consumer_specs, stream_specs
from sendonce_cli.probes.items import Phase, Unshown, claim
from sendonce_cli.probes.tenant import Tenant

PHASE: Final = Phase[Tenant](
    number=5,
    name="migrations",
    title="migrations: applied, reversible, all there",
    todo="run `sendonce migrate status`, then `sendonce migrate up`",
)


async def _schema(lab: Tenant) -> SchemaView:
    return await lab.desk.ops("schema", AskSchema, SchemaView)


async def _migrated(lab: Tenant) -> SchemaView:
    """Return the same, of a storage that is migrated."""
    view = await _schema(lab)
    if view.journal_format is not None:
        raise Unshown(
            f"the JSON storage has no migrations: a journal of format {view.journal_format}",
            todo="nothing, while this storage is meant: back up its directory before another version starts on it",
        )
    return view


@PHASE.probe("applied", expects="every migration of this version is applied")
async def applied(lab: Tenant) -> None:
    view = await _migrated(lab)
    claim(view.migrations, "this version ships no migrations")
    missing = [one.version for one in view.migrations if not one.applied]
    claim(not missing, f"not applied: {', '.join(missing)}")


@PHASE.probe(
    "checksummed",
    expects="every migration is the one that was applied",
    todo="find out who edited an applied migration; write a new one instead",
)
async def checksummed(lab: Tenant) -> None:
    view = await _migrated(lab)
    unkept = [one.version for one in view.migrations if one.applied_sha256 is None]
    claim(not unkept, f"no checksum was kept of {', '.join(unkept)}")
    edited = [one.version for one in view.migrations if one.applied_sha256 != one.sha256]
    claim(not edited, f"edited after they were applied: {', '.join(edited)}")


@PHASE.probe(
    "reversible",
    expects="every migration says how it is taken back",
    todo="do not deploy: `sendonce migrate down` could not take it back",
)
async def reversible(lab: Tenant) -> None:
    view = await _migrated(lab)
    one_way = [one.version for one in view.migrations if not one.reversible]
    claim(not one_way, f"no way back from {', '.join(one_way)}")


@PHASE.probe(
    "tables and constraints",
    expects="every table, column, constraint, index and trigger is there",
    todo="somebody changed the schema by hand: put back what is named, from the migrations of job-store",
)
async def objects(lab: Tenant) -> None:
    view = await _schema(lab)
    more = f" and {view.missing_count - len(view.missing)} more"
    named = ", ".join(view.missing) + more * (view.missing_count > len(view.missing))
    claim(view.missing_count == 0, f"{view.missing_count} of {view.objects} are missing: {named}")


@PHASE.probe(
    "streams and durables",
    expects="NATS has every stream and durable as this version needs them",
)
async def streams(lab: Tenant) -> None:
    specs = stream_specs(replicas=lab.replicas)
    drift = await bus.check_streams(lab.desk.client.jetstream(), specs, consumer_specs())
    claim(not drift, "; ".join(drift))
