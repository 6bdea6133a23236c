"""Wiring of the job store, and its routing tables."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

import structlog
from faststream.nats import NatsBroker
from nats.aio.client import Client
from nats.js import JetStreamContext

from chassis import bus, health, lifecycle
from chassis.clock import SYSTEM
from chassis.loops import Periodic
from chassis.metrics import gauge
from chassis.outbox import OutboxRelay
from chassis.storage import Database
from contracts import streams, subjects
from job_store.acknowledged import Acknowledged
from job_store.api import Api, worker_verbs
from job_store.clocks import clocks
from job_store.domain.pacing import limits
from job_store.domain.rules import Rules
from job_store.domain.texts import SHIPPED
from job_store.handlers import BATCH, Handlers
from job_store.migrate import (
    MigrationError,
    consumer_specs,
    migrate_bus,
    migrate_database,
    stream_specs,
)
from job_store.moving import NOT_MOVED, InJournal, InPostgres, Tally, export, restore
from job_store.privileges import ROLES, ROLES_AND_GRANTS, STORE_ROLE, as_role
from job_store.resuming import Resuming
from job_store.retention import measure_streams, purge_acknowledged, purge_aged
from job_store.settings import Settings
from job_store.storages import JOURNAL, OPENED
from job_store.store.audit import Audit
from job_store.store.creation import Creations
from job_store.store.dead import Dead
from job_store.store.durations import Durations
from job_store.store.effects import Effects
from job_store.store.forgetting import Forgetting
from job_store.store.inbox import Inbox
from job_store.store.laws import Laws
from job_store.store.lineage import Lineage
from job_store.store.ops import Ops
from job_store.store.orphans import Orphans
from job_store.store.outbox import Outbox
from job_store.store.pauses import Pauses
from job_store.store.repairs import Repairs
from job_store.store.requests import Requests
from job_store.store.standing import Standing
from job_store.store.unit import Units
from job_store.store.users import Users
from job_store.verbs import BotVerbs, OpsVerbs, RepairVerbs
from kie.tokens import CallbackToken, mint

__all__ = [
    "JOURNAL",
    "NAME",
    "NOT_MOVED",
    "ROLES",
    "ROLES_AND_GRANTS",
    "SHIPPED",
    "STORE_ROLE",
    "InJournal",
    "InPostgres",
    "MigrationError",
    "Settings",
    "Tally",
    "as_role",
    "build",
    "consumer_specs",
    "export",
    "main",
    "migrate_bus",
    "migrate_database",
    "restore",
    "stream_specs",
]

log = structlog.get_logger()

NAME: Final = "job-store"
ROUTES: Final = {
    "job-store-reports": subjects.REPORT_RECEIVED,
    "job-store-submissions": subjects.SUBMISSION_OUTCOME,
    "job-store-deliveries": subjects.DELIVERY_OUTCOME,
}
PURGE_EVERY: Final = timedelta(seconds=30)
PURGE_AGED_EVERY: Final = timedelta(minutes=10)
FORGET_EVERY: Final = timedelta(minutes=1)
MEASURE_EVERY: Final = timedelta(seconds=10)  # half of what most scrape in
_CALLBACKS: Final = gauge(
    "callbacks_expected", "1 when KIE is given URLs to call back, 0 when everything is polled."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stores:
    """Every verb of the store."""

    effects: Effects
    inbox: Inbox
    creations: Creations
    requests: Requests
    ops: Ops
    orphans: Orphans


async def build(settings: Settings, stack: AsyncExitStack, /) -> Sequence[lifecycle.Part]:
    """Wire the service: facts and questions in, decisions into Postgres, requests and events out."""
    broker = await stack.enter_async_context(
        bus.connected(settings.nats_url, name=NAME, creds=settings.nats_creds)
    )
    client = broker.connection
    # A durable may be gone that was just to be made anew when a job-store died; the watchdog knows its floor.
    js = await bus.checked(client.jetstream(), stream_specs(), consumer_specs(), absent=False)
    storage = await stack.enter_async_context(OPENED[settings.storage](settings, NAME))
    database = storage.database
    relay = _relay(database, client)
    due = asyncio.Event()
    durations = Durations(database)
    rules = _rules(settings, durations)
    acknowledged = Acknowledged(js, consumer_specs())
    lineage = Lineage(database, tuple(ROUTES), acknowledged.newest)
    units = Units(database, rules, offer=relay.offer, wake=due.set, confirm=lineage.confirm)
    stores = _stores(settings, units)
    resuming = Resuming(lineage, acknowledged, stores.inbox)
    by_ops = OpsVerbs(stores.ops, stores.requests, resuming, storage.schema)
    if settings.bot_token is not None:
        await stores.ops.make_default_bot()
    watchdog = bus.ConsumerWatchdog(
        js, consumer_specs(), floor=stores.inbox.floor, on_floor=stores.inbox.keep_floor
    )
    checks: dict[str, health.Check] = {
        "nats": partial(bus.check_connection, broker),
        storage.name: database.ping,
        "consumers": watchdog.check,
    }
    return (
        *health.health_parts(settings, checks),
        *storage.parts,
        watchdog,
        relay,
        *_consumers(broker, Handlers(stores.inbox, stores.effects)),
        _api(client, stores, units, by_ops),
        *clocks(stores.effects, stores.orphans, durations, rules, due=due),
        *_measuring(database, js, rules),
        *_forgetting(settings, js, units),
    )


def _measuring(database: Database, js: JetStreamContext, rules: Rules) -> list[Periodic]:
    """Who only looks, for whoever scrapes."""
    laws = Laws(database, SYSTEM, orphan_ttl=rules.orphan_ttl)
    return [
        Periodic("standing", Standing(database, SYSTEM).measure, every=MEASURE_EVERY),
        Periodic("laws", laws.round, every=MEASURE_EVERY),
        Periodic("streams", lambda: measure_streams(js), every=MEASURE_EVERY),
    ]


def _forgetting(settings: Settings, js: JetStreamContext, units: Units) -> list[Periodic]:
    """What must not be kept for ever: streams that fill up, and content that is old."""
    loops = [
        Periodic("retention", lambda: purge_acknowledged(js), every=PURGE_EVERY),
        Periodic("content", Forgetting(units).sweep, every=FORGET_EVERY),
    ]
    if (keep := settings.keep_streams) is not None:

        async def purge() -> bool:
            return await purge_aged(js, before=SYSTEM.now() - keep)

        loops.append(Periodic("history", purge, every=PURGE_AGED_EVERY))
    return loops


def _relay(database: Database, client: Client) -> OutboxRelay:
    publisher = bus.Publisher(client, stream_of=streams.stream_of)
    return OutboxRelay(Outbox(database), publisher)


def _stores(settings: Settings, units: Units) -> _Stores:
    pace = limits(
        telegram_share=settings.telegram_share, creates_per_10s=settings.kie_creates_per_10s
    )
    requests = Requests(units)
    return _Stores(
        effects=Effects(units, pace),
        inbox=Inbox(units, pace),
        creations=Creations(units),
        requests=requests,
        ops=Ops(units, requests),
        orphans=Orphans(units),
    )


def _api(client: Client, stores: _Stores, units: Units, by_ops: OpsVerbs) -> Api:
    """Who may ask what: the whole request and reply surface of this service."""
    by_hand = RepairVerbs(Repairs(units), Pauses(units), Dead(units), Users(units), Audit(units))
    return Api(
        client,
        bots=BotVerbs(stores.creations, stores.requests, stores.effects).table(),
        operators=by_ops.table() + by_hand.table(),
        workers=worker_verbs(stores.effects),
    )


def _consumers(broker: NatsBroker, handlers: Handlers) -> list[bus.Consumer]:
    """Which fact goes where: the whole JetStream surface of this service."""
    by_durable = {
        "job-store-reports": handlers.on_report_received,
        "job-store-submissions": handlers.on_submission_outcome,
        "job-store-deliveries": handlers.on_delivery_outcome,
    }
    return [
        bus.consume(
            broker,
            stream=streams.CONSUMER[durable].stream,
            durable=durable,
            subject=subject,
            handler=by_durable[durable],
            on_hopeless=handlers.dead_letters_of(durable),
            batch=BATCH,
        )
        for durable, subject in ROUTES.items()
    ]


def _rules(settings: Settings, durations: Durations) -> Rules:
    if settings.public_url is None:
        log.warning(
            "callbacks.off",
            reason="SENDONCE_PUBLIC_URL is not set",
            cost="every result is found by polling",
            first_poll_seconds=settings.poll_after.total_seconds(),
        )
    return Rules(
        callback_url=_callback_url(settings),
        job_ttl=timedelta(seconds=settings.job_ttl_seconds),
        poll_after=settings.poll_after,
        orphan_ttl=timedelta(seconds=settings.orphan_ttl_seconds),
        usual=durations.usual,
        quota=settings.quota,
        ages=settings.ages,
    )


def _callback_url(settings: Settings) -> Callable[[UUID, int], str | None]:
    signing = settings.signing_key()
    base = settings.public_url

    _CALLBACKS.set(base is not None and signing is not None)

    def url(job_id: UUID, attempt: int) -> str | None:
        if base is None or signing is None:
            return None
        key_id, key = signing
        token = mint(CallbackToken(key_id=key_id, job_id=job_id, attempt=attempt), key)
        return f"{base.rstrip('/')}/callbacks/kie/{token}"

    return url


def main() -> int:
    """Run the job store as this process."""
    return lifecycle.run(build, Settings, name=NAME)
