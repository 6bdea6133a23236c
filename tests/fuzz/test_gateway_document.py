"""schemathesis asks the running gateway all that its OpenAPI document allows, and all that it does not."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import gateway_openapi
import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.generation.case import Case

from callback_arrivals import token
from callback_port import Reports, gateway, make_reports_stream, settings_for
from chassis import bus
from testkit.servers.durability import Durability
from testkit.servers.nats import NatsServer

EXAMPLES = 150  # of each address, in `make test`
A_SECOND = 100  # examples, in `make fuzz`
# None of these requests is signed: with the usual limit a long run would be answered 429 throughout.
UNVOUCHED = 10_000.0
PROBLEM = "application/problem+json"

DOCUMENT = gateway_openapi.document()
# The probes have a port of their own and take nothing.
PATHS = {one.path: DOCUMENT["paths"][one.path] for one in gateway_openapi.ADDRESSES}
SCHEMA = schemathesis.openapi.from_dict({**DOCUMENT, "paths": PATHS})


@dataclass
class Door:
    """A running gateway as synchronous code sees it, and how many messages its stream holds."""

    address: str
    loop: asyncio.AbstractEventLoop
    reports: Reports
    client: httpx.Client

    def stored(self) -> int:
        return asyncio.run_coroutine_threadsafe(self.reports.count(), self.loop).result(10)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with NatsServer(tmp_path / "nats", durability=Durability.KILL) as server:
        await make_reports_stream(server.url)
        async with (
            gateway(settings_for(server.url, gateway_unvouched_per_second=UNVOUCHED)) as port,
            bus.connected(server.url, name="tests") as broker,
        ):
            address = f"http://127.0.0.1:{port.number}"
            with httpx.Client(base_url=address, timeout=20) as client:
                loop = asyncio.get_running_loop()
                yield Door(address, loop, Reports(broker.connection), client)
        await server.discard()


def lawful(door: Door, case: Case, *, is_new: bool) -> bool:
    """Ask; every answer conforms, a refusal is a typed problem and stores nothing, 200 is stored."""
    before = door.stored()
    answer = case.call(base_url=door.address)
    # The document's own checks: status codes, content types, headers, bodies; never a 5xx.
    case.validate_response(
        answer,
        excluded_checks=[
            schemathesis.checks.CHECKS.get_one(name)
            for name in ("negative_data_rejection", "positive_data_acceptance")
        ],
    )
    after = door.stored()
    if answer.status_code == httpx.codes.OK:
        # A repetition of a known request is the same fact: stored already, and counted once.
        assert after - before == 1 or (after == before > 0 and not is_new), (
            "answered 200, not stored"
        )
        return True
    assert answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR, answer.text
    said = json.loads(answer.content)
    assert answer.headers["content-type"] == [PROBLEM]
    assert said["status"] == answer.status_code
    assert said["hint"]
    assert after == before, "refused, and stored all the same"
    return False


def made_good(case: Case, *, number: int) -> bool:
    """Give a request what it needs to be taken, where it has room for it; True when it is a new fact."""
    if case.path_parameters:
        case.path_parameters = {"token": token(attempt=1 + number)}
        return True
    if not isinstance(case.body, dict):
        return False
    case.body["taskId"] = f"task-{number}"
    return True


def asked(
    door: Door, path: str, modes: list[GenerationMode], examples: int, first: int
) -> list[bool]:
    """Let schemathesis draw requests to an address; whether each was stored."""
    said: list[bool] = []
    for mode in modes:
        cases = SCHEMA[path]["POST"].as_strategy(generation_mode=mode)

        @seed(first)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=cases)
        def ask(case: Case) -> None:
            # Drawn tokens are forged and drawn bodies name no task: every other one is made good.
            is_new = bool(len(said) % 2) and made_good(case, number=len(said))
            said.append(lawful(door, case, is_new=is_new))

        ask()
    return said


@pytest.mark.parametrize("path", list(PATHS))
@pytest.mark.timeout(900)
async def test_whatever_the_document_allows_or_forbids_is_answered_by_the_document(
    door: Door, path: str, effort, tell: Callable[[str], None]
) -> None:
    examples = int((effort.seconds or 0) * A_SECOND / 4) or EXAMPLES
    began = time.monotonic()
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]

    said = await asyncio.to_thread(asked, door, path, modes, examples, effort.seed)

    assert any(said)
    assert not all(said)
    tell(f"{path}: {len(said)} requests, {sum(said)} stored, {time.monotonic() - began:.0f} s")
