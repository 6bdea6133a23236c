"""Outages look like a slow answer: the same bytes are asked again until the deadline."""

import asyncio
from pathlib import Path

import pytest

from client_store import Service, refuse, serving, silence
from contracts.refusals import RefusalName
from sendonce import NotConnected, SendOnce, Unavailable
from sendonce.link import Link
from testkit.processes.waiting import holds
from testkit.servers import Durability, NatsServer

LOCKED = """\
authorization {
  users = [ { user: shop, password: right, permissions: {
    publish: ["api.shop.wallets.get"], subscribe: ["_INBOX_shop.>", "jobs.*.shop"] } },
    { user: store, password: store } ]
}
"""


def link_of(sendonce: SendOnce) -> Link:
    assert isinstance(sendonce._wire, Link)
    return sendonce._wire


async def create(sendonce: SendOnce, *, timeout: float = 15) -> bool:
    job = await sendonce.create(
        model="m", input={"prompt": "cat"}, key="k", chat_id=7, user_id=7, price=5, timeout=timeout
    )
    return job.created


async def test_a_busy_store_is_asked_again_with_the_same_bytes(
    sendonce: SendOnce, service: Service
) -> None:
    service.store.scripts += [refuse(RefusalName.UNAVAILABLE), refuse(RefusalName.UNAVAILABLE)]

    created = await create(sendonce)

    asked = service.store.verbs("jobs.create")
    assert len(asked) == 3
    assert len({one.raw for one in asked}) == 1
    assert not created, "the first try made the job, the answer that arrived says so"
    assert len(service.store.jobs) == 1


async def test_a_lost_reply_is_asked_again_and_acts_once(
    sendonce: SendOnce, service: Service, impatient: None
) -> None:
    service.store.scripts.append(silence)

    await create(sendonce)

    assert len({one.raw for one in service.store.verbs("jobs.create")}) == 1
    assert len(service.store.verbs("jobs.create")) == 2
    assert len(service.store.jobs) == 1


async def test_a_reply_nobody_can_read_is_asked_again(sendonce: SendOnce, service: Service) -> None:
    service.store.scripts += [lambda _: b"<html>", lambda _: b""]

    await create(sendonce)

    assert len(service.store.verbs("jobs.create")) == 3


async def test_nobody_there_until_the_deadline_is_unavailable_and_changed_nothing(
    sendonce: SendOnce, service: Service
) -> None:
    await service.stop()

    with pytest.raises(Unavailable) as refused:
        await create(sendonce, timeout=0.3)

    assert "no answer to jobs.create within 0.3 s: nobody serves" in refused.value.message
    assert "it never arrived, nothing was changed" in refused.value.hint


async def test_silence_until_the_deadline_says_that_it_may_have_happened(
    sendonce: SendOnce, service: Service
) -> None:
    service.store.scripts.append(silence)

    with pytest.raises(Unavailable, match="may have taken effect: ask again with the same key"):
        await create(sendonce, timeout=0.3)

    assert await create(sendonce) is False


async def test_a_store_that_comes_back_in_time_answers(
    sendonce: SendOnce, service: Service
) -> None:
    await service.stop()
    asking = asyncio.create_task(create(sendonce))
    await service.start()

    assert await asking


async def test_a_server_killed_and_started_again_is_a_slow_answer(
    tmp_path: Path, impatient: None
) -> None:
    async with (
        NatsServer(tmp_path / "nats", durability=Durability.KILL) as server,
        serving(server.url) as service,
        SendOnce(server.url) as sendonce,
    ):
        assert await create(sendonce)
        await server.kill()
        asking = asyncio.create_task(create(sendonce))
        await server.start()

        assert await asking is False
        assert len(service.store.jobs) == 1


async def test_a_connection_the_client_gave_up_for_good_is_made_anew(
    sendonce: SendOnce, service: Service
) -> None:
    client = link_of(sendonce)._client
    assert client is not None
    await client.close()

    answers = await asyncio.gather(*(sendonce.returned(7) for _ in range(5)))

    assert answers == [2] * 5
    assert link_of(sendonce)._client is not client


async def test_a_server_that_is_away_is_unavailable_on_connect() -> None:
    sendonce = SendOnce("nats://127.0.0.1:1", deadline=0.3)

    with pytest.raises(Unavailable, match=r"could not connect to NATS within 0\.3 s"):
        await sendonce.connect()
    with pytest.raises(NotConnected):
        await sendonce.returned(7)


async def test_wrong_credentials_and_missing_permissions_are_told(tmp_path: Path) -> None:
    async with NatsServer(
        tmp_path / "nats", durability=Durability.KILL, more_config=LOCKED
    ) as server:
        at = server.url.removeprefix("nats://")
        with pytest.raises(Unavailable, match="Authorization Violation") as refused:
            await SendOnce(f"nats://shop:wrong@{at}", bot="shop").connect(timeout=0.5)
        assert "wrong" not in str(refused.value)

        async with (
            serving(f"nats://store:store@{at}"),
            SendOnce(f"nats://shop:right@{at}", bot="shop") as shop,
        ):
            assert (await shop.wallet(5, "RUB")).balance == 0
            with pytest.raises(Unavailable, match="permissions violation for publish"):
                await shop.topup(5, currency="RUB", amount=1, reference="r", timeout=0.5)


async def test_closing_ends_what_is_being_asked(sendonce: SendOnce, service: Service) -> None:
    await service.stop()
    asking = asyncio.create_task(create(sendonce))
    assert await holds(lambda: bool(link_of(sendonce)._askers), within=5)

    await sendonce.close()

    with pytest.raises(NotConnected):
        await asking
