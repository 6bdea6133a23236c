"""All that users do, in scenes: each must work with the rights of the table, and fails without any it needs."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final
from unittest.mock import patch

from chassis import bus
from chassis.clock import SYSTEM
from contracts import streams, subjects
from contracts.documents.surface import Party
from contracts.permissions import LOOKS, LOOKS_OF_A_BOT, MIGRATE, OBSERVER, OPERATOR, PROBES
from job_store import retention
from job_store.acknowledged import Acknowledged
from job_store.app import consumer_specs, migrate_bus, stream_specs
from privilege.durables import (
    fact,
    floor,
    moved,
    read,
    read_by_everybody,
    running,
    specs_of,
    stands,
    watched,
)
from privilege.ground import BOTS, Ground
from privilege.life import a_store, a_whole_life
from sendonce_cli.asking import connect
from sendonce_cli.stack import migration

ANSWERS_WITHIN: Final = 20.0  # seconds; of a machine that is busy with other tests
Scene = Callable[[Ground], Awaitable[None]]
JUDGE: Final = Party.STORE
OWN: Final = [row for row in streams.CONSUMERS if row.durable.startswith(JUDGE)]


async def migrate_makes_everything(on: Ground) -> None:
    await on.begin_anew()
    async with on.admin() as js:
        assert await bus.check_streams(js, stream_specs(), consumer_specs()) == []


async def migrate_mends_what_others_changed(on: Ground) -> None:
    async with on.admin() as js:
        for stream in streams.STREAMS:
            config = (await js.stream_info(stream.name)).config
            await js.update_stream(config.evolve(max_bytes=stream.max_bytes // 2))
        for row in streams.CONSUMERS:
            config_of = (await js.consumer_info(row.stream, row.durable)).config
            await js.add_consumer(row.stream, config_of.evolve(max_ack_pending=1))
        await migrate_bus(on.nats.url, creds=on.creds(MIGRATE))
        assert await bus.check_streams(js, stream_specs(), consumer_specs()) == []
    client = await connect(on.nats.url, creds=on.creds(MIGRATE), inbox=migration.INBOX)
    assert await bus.check_streams(client.jetstream(), stream_specs(), consumer_specs()) == []
    await client.close()


async def deleted_durables_come_back(on: Ground) -> None:
    """Each watchdog alone: side by side whoever looks first brings one back."""
    async with on.admin() as js:
        for user, specs in (
            (JUDGE, consumer_specs()),
            (Party.DELIVERER, specs_of([Party.DELIVERER])),
        ):
            async with on.connected(user) as broker, watched(broker.connection.jetstream(), specs):
                for spec in specs:
                    await js.delete_consumer(spec.stream, spec.durable)
                for spec in specs:
                    await stands(js, spec)


async def what_all_have_read_makes_room(on: Ground) -> None:
    async with on.admin() as js, on.connected(JUDGE) as broker:
        await read_by_everybody(js)
        with patch.object(retention, "PURGE_ABOVE", 0.0):
            await retention.purge_acknowledged(broker.connection.jetstream())
        for stream in {row.stream for row in streams.CONSUMERS}:
            assert (await js.stream_info(stream)).state.messages == 0


async def what_is_old_goes(on: Ground) -> None:
    async with on.admin() as js, on.connected(JUDGE) as broker:
        await js.publish(subjects.job_event("created", BOTS[0]), b"{}")
        await js.publish(subjects.orphan_event("stored"), b"{}")
        await read_by_everybody(js)
        later = SYSTEM.now() + timedelta(minutes=1)
        await retention.purge_aged(broker.connection.jetstream(), before=later)
        for stream in streams.STREAMS:
            assert (await js.stream_info(stream.name)).state.messages == 0


async def after_a_restore_it_is_read_again(on: Ground) -> None:
    async with on.admin() as js, on.connected(JUDGE) as broker:
        await read_by_everybody(js)
        known = Acknowledged(broker.connection.jetstream(), consumer_specs())
        for row in OWN:
            assert (await known.newest(row.durable, 0)).acked
            assert await known.pending(row.durable) == 0
            last = (await js.consumer_info(row.stream, row.durable)).ack_floor
            assert last is not None
            await known.begin_again(row.durable, after=last.stream_seq - 1)
            assert await known.pending(row.durable) >= 1
            await read(js, row)


async def an_acknowledgement_outlives_its_connection(on: Ground) -> None:
    """The right to answer ends with the connection, so what is handled meanwhile needs one of its own."""
    go, held = asyncio.Event(), set[str]()

    def holding(durable: str) -> bus.Handler:
        async def handle(_delivered: bus.Delivered) -> None:
            held.add(durable)
            await go.wait()

        return handle

    async with on.admin() as js, on.connected(JUDGE) as broker:
        before = {row.durable: await floor(js, row) for row in OWN}
        readers = [
            bus.consume(
                broker,
                stream=row.stream,
                durable=row.durable,
                subject=row.subject,
                handler=holding(row.durable),
            )
            for row in OWN
        ]
        async with running(*readers):
            for row in OWN:
                await js.publish(row.subject, b"{}")
            await fact(lambda: len(held) == len(OWN))
            await on.nats.restart()
            await fact(lambda: broker.connection.is_connected)
            go.set()
            for row in OWN:
                await moved(js, row, before[row.durable])


async def people_ask_what_they_may(on: Ground) -> None:
    """Not what is answered counts, but that job-store hears the question and its answer is heard."""
    async with a_store(on):
        for user, verbs in ((OPERATOR, subjects.OPS_VERBS), (OBSERVER, LOOKS)):
            client = await connect(on.nats.url, creds=on.creds(user))
            asked = [subjects.ops(verb) for verb in verbs]
            asked += [subjects.api(BOTS[0], verb) for verb in LOOKS_OF_A_BOT]
            for subject in asked:
                assert (await client.request(subject, b"?", timeout=ANSWERS_WITHIN)).data
            await client.close()


async def an_operator_tries_what_bots_may(on: Ground) -> None:
    """As `sendonce check` and `smoke` do, by bots that are no users of their own; they look at the streams, too."""
    async with a_store(on), on.admin() as js:
        desk = await connect(on.nats.url, creds=on.creds(OPERATOR))
        assert await bus.check_streams(desk.jetstream(), stream_specs(), consumer_specs()) == []
        await desk.close()
        for slug in PROBES:
            client = await connect(on.nats.url, creds=on.creds(OPERATOR), inbox=f"_INBOX_{slug}")
            # Before the questions: the server has heard of it when it answers one (a flush of nats-py may overtake it).
            heard = await client.subscribe(subjects.job_event("*", slug))
            for verb in subjects.API_VERBS:
                assert (
                    await client.request(subjects.api(slug, verb), b"?", timeout=ANSWERS_WITHIN)
                ).data
            await js.publish(subjects.job_event("created", slug), b"{}")
            assert (await heard.next_msg(timeout=ANSWERS_WITHIN)).data == b"{}"
            await client.close()


SCENES: Final[tuple[Scene, ...]] = (
    migrate_makes_everything,
    migrate_mends_what_others_changed,
    a_whole_life,
    people_ask_what_they_may,
    an_operator_tries_what_bots_may,
    deleted_durables_come_back,
    what_all_have_read_makes_room,
    what_is_old_goes,
    after_a_restore_it_is_read_again,
    an_acknowledgement_outlives_its_connection,
)
