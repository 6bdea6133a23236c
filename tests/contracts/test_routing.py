"""The surface table against the services as they are wired: who listens where, who speaks, and what is answered."""

from contextlib import AsyncExitStack
from types import ModuleType
from typing import Final, get_args, get_type_hints

import pytest
from nats.js import JetStreamContext
from spoken import ROOT, Asked, asked, named, promised

import callback_gateway.app
import deliverer.app
import job_store.app
import reconciler.app
import submitter.app
from chassis import bus, lifecycle
from chassis.settings import ServiceSettings
from contracts import streams, subjects
from contracts.documents.surface import API, BOT_NAME, FACTS, OPS, QUESTIONS, SERVICES, Party
from contracts.message import Value
from contracts.refusals import Refusal
from deployment import KEY, TOKEN, eventually
from job_store.api import Api
from job_store.migrate import migrate_bus
from testkit.ports import free_port

APPS: Final[dict[Party, ModuleType]] = {
    Party.GATEWAY: callback_gateway.app,
    Party.STORE: job_store.app,
    Party.SUBMITTER: submitter.app,
    Party.DELIVERER: deliverer.app,
    Party.RECONCILER: reconciler.app,
}
# All that the five need between them; each takes what it knows.
VALUES: Final[dict[str, object]] = {
    "callback_keys": f"k1:{KEY}",
    "bot_token": TOKEN,
    "kie_api_key": "a key",
    "log_level": "warning",
}
services = pytest.mark.parametrize("service", SERVICES)


def settings(service: Party, *, nats_url: str, database_url: str) -> ServiceSettings:
    """Settings of a service, for servers of this test."""
    kind = APPS[service].Settings
    offered = VALUES | {
        "nats_url": nats_url,
        "database_url": database_url,
        "gateway_port": free_port(),
    }
    made: ServiceSettings = kind(
        **{name: one for name, one in offered.items() if name in kind.model_fields}
    )
    return made


async def pulled(js: JetStreamContext) -> set[str]:
    """The durables that somebody is waiting at, as the server sees it."""
    infos = [await js.consumer_info(one.stream, one.durable) for one in streams.CONSUMERS]
    return {info.name for info in infos if info.num_waiting}


@services
async def test_a_service_reads_exactly_the_durables_of_the_table(
    service: Party, nats_url: str, database_url: str
) -> None:
    expected = {one.durable for one in FACTS if one.read_by is service}
    await migrate_bus(nats_url)
    own = settings(service, nats_url=nats_url, database_url=database_url)

    async with (
        lifecycle.service(APPS[service].build, own, name=service),
        bus.connected(nats_url, name="tests") as broker,
    ):
        js = broker.connection.jetstream()

        async def expected_are_pulled() -> bool:
            return expected <= await pulled(js)

        await eventually(expected_are_pulled, within=10)
        assert await pulled(js) == expected


async def test_job_store_answers_exactly_the_questions_of_the_table(
    nats_url: str, database_url: str
) -> None:
    await migrate_bus(nats_url)
    own = settings(Party.STORE, nats_url=nats_url, database_url=database_url)
    async with AsyncExitStack() as stack:
        parts = await APPS[Party.STORE].build(own, stack)

    (api,) = [one for one in parts if isinstance(one, Api)]
    assert {(subject, verb.request) for subject, verb in api._routes} == {
        (one.address.replace(BOT_NAME, "*"), one.ask) for one in QUESTIONS
    }
    for subject, verb in api._routes:
        (question,) = [one for one in QUESTIONS if one.address.replace(BOT_NAME, "*") == subject]
        said = get_type_hints(verb.answer)["return"]
        views = set(get_args(said) or (said,)) - {Refusal, Value}
        # Some say no more than that they answer.
        assert views <= set(question.answers)


@services
def test_a_service_names_the_subjects_of_the_table_and_no_other(service: Party) -> None:
    said, heard = promised(service)

    assert said <= named(service) <= said | heard


def test_every_durable_and_every_stream_stands_in_the_table() -> None:
    assert {one.durable for one in FACTS if one.durable} == set(streams.CONSUMER)
    assert {one.stream for one in FACTS} == {one.name for one in streams.STREAMS}


def test_the_table_has_every_verb() -> None:
    assert set(API) == set(subjects.API_VERBS)
    assert set(OPS) == set(subjects.OPS_VERBS)


def rows(table: dict[str, tuple[type[Value], type[Value], str]]) -> set[Asked]:
    return {(verb, ask.__name__, view.__name__) for verb, (ask, view, _) in table.items()}


def test_the_sdk_asks_every_verb_of_bots_as_the_table_says() -> None:
    assert set(asked(ROOT / "libs/client/src")) == rows(API)


def test_the_command_asks_as_the_table_says() -> None:
    asks = set(asked(ROOT / "tools/cli/src"))

    assert asks
    assert asks <= rows(API) | rows(OPS)
