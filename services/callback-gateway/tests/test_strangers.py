"""A flood of callbacks that nobody vouches for is held back, and nobody else by it."""

from datetime import timedelta

import httpx
import pytest
from structlog.testing import capture_logs

from callback_arrivals import KEYS, SUCCESS, callback, signed, token
from callback_gateway.domain.arrival import Callback
from callback_gateway.domain.bucket import Rate
from callback_gateway.handlers import Handlers, Patience
from callback_gateway.settings import Settings
from callback_port import Port, Reports, gateway, settings_for
from chassis import bus
from chassis.clock import SYSTEM, SystemClock
from contracts import streams
from testkit.servers.nats import NatsServer

UNKNOWN = token(key_id="retired", key=b"x" * 32)
REFUSED = "[KIE_CALLBACK] callback.refused"
LIMIT = 50  # requests a flood may take to be held back: far more than fit into the bucket
PATIENCE = Patience(publishing=timedelta(seconds=8), whole_request=timedelta(seconds=14))
RATE = Rate(per_second=0.25, burst=2)


class HandSet(SystemClock):
    """A clock whose seconds pass when a test says so."""

    seconds = 1_000.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> HandSet:
    return HandSet()


@pytest.fixture
def handlers(reports: Reports, clock: HandSet) -> Handlers:
    publisher = bus.Publisher(reports.client, stream_of=streams.stream_of)
    return Handlers(publisher, keys=KEYS, patience=PATIENCE, unvouched=RATE, clock=clock)


def stranger(number: int, *, last: str | None = None) -> Callback:
    return callback(of_task(number), token=last)


def of_task(number: int) -> bytes:
    return SUCCESS.replace(b"task-1", f"task-{number}".encode())


async def answer(handlers: Handlers, clock: HandSet, arrived: Callback) -> int | None:
    """Ask at this moment: None when it was stored, else the seconds to wait."""
    problem = await handlers.on_callback(arrived, began=clock.seconds)
    if problem is None:
        return None
    assert (problem.status, problem.name) == (429, "too-many-unvouched")
    assert problem.retry_after is not None
    return problem.retry_after


async def test_after_a_burst_strangers_wait_as_long_as_they_are_told(
    handlers: Handlers, clock: HandSet, reports: Reports
) -> None:
    told = [await answer(handlers, clock, stranger(number)) for number in range(4)]
    assert told == [None, None, 4, 4]
    assert await reports.count() == 2

    clock.seconds += 3.5
    assert await answer(handlers, clock, stranger(5)) == 1
    clock.seconds += 0.5
    assert await answer(handlers, clock, stranger(5)) is None
    assert await answer(handlers, clock, stranger(6)) == 4
    assert await reports.count() == 3


async def test_a_token_of_an_unknown_key_vouches_for_nothing(
    handlers: Handlers, clock: HandSet, reports: Reports
) -> None:
    arrived = [stranger(number, last=UNKNOWN) for number in range(3)]

    assert [await answer(handlers, clock, one) for one in arrived] == [None, None, 4]
    assert await answer(handlers, clock, stranger(3)) == 4
    assert await reports.count() == 2


VOUCHED = {
    "a valid token": callback(token=token()),
    "a valid token over nonsense": callback(b"\xff", token=token()),
    "a matching signature": callback(headers=signed("task-1", at=callback().received_at)),
    "a stale signature": callback(
        headers=signed("task-1", at=callback().received_at.replace(year=2025))
    ),
    "a signature beside an unknown token": callback(
        token=UNKNOWN, headers=signed("task-1", at=callback().received_at)
    ),
}


@pytest.mark.parametrize("vouched", VOUCHED.values(), ids=VOUCHED)
async def test_who_is_vouched_for_is_stored_meanwhile_and_takes_nothing(
    handlers: Handlers, clock: HandSet, reports: Reports, vouched: Callback
) -> None:
    assert await answer(handlers, clock, vouched) is None
    assert [await answer(handlers, clock, stranger(number)) for number in (2, 3, 4)] == [
        None,
        None,
        4,
    ]

    assert await answer(handlers, clock, vouched) is None
    clock.seconds += 4
    assert await answer(handlers, clock, vouched) is None
    assert await answer(handlers, clock, stranger(5)) is None
    assert await reports.count() == 4


async def test_what_is_refused_anyway_takes_nothing(handlers: Handlers, clock: HandSet) -> None:
    unfit = (callback(b"{"), callback(token="forged"), callback(headers={"content-type": "a/b"}))
    for arrived in unfit * 3:
        problem = await handlers.on_callback(arrived, began=clock.seconds)
        assert problem is not None
        assert problem.status in (400, 401, 415)

    told = [await answer(handlers, clock, stranger(number)) for number in range(3)]
    assert told == [None, None, 4]


async def test_a_flood_of_strangers_is_no_flood_of_lines(
    handlers: Handlers, clock: HandSet
) -> None:
    with capture_logs() as lines:
        for number in range(20):
            await answer(handlers, clock, stranger(number))
        clock.seconds += 4
        for number in range(20, 40):
            await answer(handlers, clock, stranger(number))

    refused = [line for line in lines if line["event"] == REFUSED]
    assert [(line["status"], line["problem"]) for line in refused] == [
        (429, "too-many-unvouched")
    ] * 2


async def flooded(port: Port) -> tuple[int, httpx.Response]:
    """Send strangers' callbacks until one is held back; how many were stored, and its answer."""
    for number in range(LIMIT):
        said = await port.post(of_task(number))
        if said.status_code != 200:
            return number, said
    pytest.fail(f"{LIMIT} were stored")


async def test_fault_58_a_flood_nobody_vouches_for_gets_429_and_the_others_200(
    bus_server: NatsServer, reports: Reports
) -> None:
    settings = settings_for(bus_server.url, gateway_unvouched_per_second=0.5)
    async with gateway(settings) as port:
        stored, held = await flooded(port)

        assert stored >= 5
        assert held.status_code == 429
        assert held.headers["content-type"] == "application/problem+json"
        assert held.json()["type"] == "urn:sendonce:callback:too-many-unvouched"
        assert 1 <= int(held.headers["retry-after"]) <= 2
        assert await reports.count() == stored

        kie_says = signed("task-1", at=SYSTEM.now())
        assert (await port.post(SUCCESS, token=token())).status_code == 200
        assert (await port.post(SUCCESS, headers=kie_says)).status_code == 200
        assert await reports.count() == stored + 2


async def test_each_replica_has_a_bucket_of_its_own(bus_server: NatsServer) -> None:
    slow = {"gateway_unvouched_per_second": 0.1}
    async with (
        gateway(settings_for(bus_server.url, **slow)) as one,
        gateway(settings_for(bus_server.url, **slow)) as two,
    ):
        await flooded(one)

        assert (await two.post(SUCCESS)).status_code == 200


def test_ten_seconds_worth_may_come_at_once() -> None:
    assert Settings().unvouched == Rate(per_second=20, burst=200)
    assert Settings(gateway_unvouched_per_second=0.1).unvouched.burst >= 1
