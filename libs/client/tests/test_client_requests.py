"""Every method asks its own verb, says what it was told to say, and returns the view of the contracts."""

from uuid import UUID

import pytest

from client_store import Service, refuse
from contracts.api import CreateJob, DeliverJob, ExpectJob, OneJob, Page, TopUp
from contracts.refusals import RefusalName
from sendonce import (
    JobState,
    MediaKind,
    ReportedMedia,
    SendOnce,
    TooLate,
    UnknownJob,
)

PICTURE = ReportedMedia(kind=MediaKind.IMAGE, url="https://files.example/a.png")


async def test_create_asks_for_the_job_and_returns_it(sendonce: SendOnce, service: Service) -> None:
    job = await sendonce.create(
        model="google/nano-banana",
        input={"prompt": "a cat", "n": 1},
        key="7:1",
        chat_id=-100,
        user_id=5,
        thread_id=3,
        status=44,
        price=1990,
        caption="a cat",
        notify="fresh",
    )

    (asked,) = service.store.asked
    assert (asked.bot, asked.verb) == ("default", "jobs.create")
    request = asked.request
    assert isinstance(request, CreateJob)
    assert request.model_dump(exclude={"not_after"}, exclude_defaults=True) == {
        "key": "7:1",
        "chat_id": -100,
        "user_id": 5,
        "thread_id": 3,
        "status": 44,
        "notify": "fresh",
        "price": 1990,
        "caption": "a cat",
        "model": "google/nano-banana",
        "input": {"prompt": "a cat", "n": 1},
    }
    assert job.created
    assert job.state is JobState.CREATED


async def test_the_same_key_is_the_same_job(sendonce: SendOnce, service: Service) -> None:
    first = await sendonce.deliver(media=[PICTURE], key="k", chat_id=7, user_id=7)
    second = await sendonce.deliver(media=[PICTURE], key="k", chat_id=7, user_id=7)

    assert first.id == second.id
    assert (first.created, second.created) == (True, False)


async def test_expect_hands_out_the_callback_url_and_attach_tells_the_task(
    sendonce: SendOnce, service: Service
) -> None:
    job = await sendonce.expect(family="veo", key="k", chat_id=7, user_id=7)
    attached = await sendonce.attach(job.id, "task-1")
    found = await sendonce.find_by_task_id("task-1")

    request = service.store.asked[0].request
    assert isinstance(request, ExpectJob)
    assert request.family == "veo"
    assert job.callback_url is not None
    assert attached.task_ids == ("task-1",)
    assert [known.id for known in found] == [job.id]
    assert await sendonce.find_by_task_id("task-2") == ()


async def test_deliver_carries_the_media(sendonce: SendOnce, service: Service) -> None:
    await sendonce.deliver(media=[PICTURE, PICTURE], key="k", chat_id=7, user_id=7)

    request = service.store.asked[0].request
    assert isinstance(request, DeliverJob)
    assert request.media == (PICTURE, PICTURE)


async def test_get_takes_an_id_its_text_or_a_key(sendonce: SendOnce, service: Service) -> None:
    made = await sendonce.expect(key="k", chat_id=7, user_id=7)

    by_id = await sendonce.get(made.id)
    by_text = await sendonce.get(str(made.id))
    by_key = await sendonce.get(key="k")

    assert by_id.id == by_text.id == by_key.id == made.id
    with pytest.raises(UnknownJob):
        await sendonce.get(UUID(int=1))


async def test_undelivered_is_read_page_by_page(sendonce: SendOnce, service: Service) -> None:
    await sendonce.expect(key="k", chat_id=7, user_id=7)
    service.store.settle("k", JobState.SUCCEEDED)

    page = await sendonce.undelivered(limit=1, after="cursor")

    request = service.store.asked[-1].request
    assert isinstance(request, Page)
    assert (request.limit, request.after) == (1, "cursor")
    assert [job.key for job in page.jobs] == ["k"]
    assert page.next == str(page.jobs[0].id)


async def test_cancel_names_the_job(sendonce: SendOnce, service: Service) -> None:
    made = await sendonce.expect(key="k", chat_id=7, user_id=7)

    cancelled = await sendonce.cancel(key="k")

    request = service.store.asked[-1].request
    assert isinstance(request, OneJob)
    assert request.key == "k"
    assert cancelled.id == made.id


async def test_a_cancel_whose_first_answer_was_lost_is_no_error(
    sendonce: SendOnce, service: Service
) -> None:
    await sendonce.expect(key="k", chat_id=7, user_id=7)
    service.store.settle("k", JobState.CANCELLED)
    service.store.scripts.append(refuse(RefusalName.TOO_LATE))

    job = await sendonce.cancel(key="k")

    assert job.state is JobState.CANCELLED


async def test_a_cancel_that_came_too_late_says_so(sendonce: SendOnce, service: Service) -> None:
    await sendonce.expect(key="k", chat_id=7, user_id=7)
    service.store.settle("k", JobState.RUNNING)
    service.store.scripts.append(refuse(RefusalName.TOO_LATE))

    with pytest.raises(TooLate):
        await sendonce.cancel(key="k")


async def test_returned_says_how_many_results_are_due_again(sendonce: SendOnce) -> None:
    assert await sendonce.returned(7) == 2


async def test_a_payment_is_credited_once_and_stands_in_the_statement(
    sendonce: SendOnce, service: Service
) -> None:
    empty = await sendonce.wallet(5, "RUB")
    first, again = [
        await sendonce.topup(5, currency="RUB", amount=50_00, reference="charge-1")
        for _ in range(2)
    ]
    statement = await sendonce.statement(5, "RUB")

    request = service.store.asked[1].request
    assert isinstance(request, TopUp)
    assert (empty.balance, empty.held) == (0, 0)
    assert first.balance == again.balance == 50_00
    assert [line.reference for line in statement.lines] == ["charge-1"]
    assert statement.wallet == again


async def test_a_bot_asks_under_its_own_name(nats_url: str, service: Service) -> None:
    async with SendOnce(nats_url, bot="shop-2") as shop:
        await shop.wallet(5, "XTR")

    assert service.store.asked[0].bot == "shop-2"


async def test_several_addresses_of_a_cluster_may_be_given(nats_url: str, service: Service) -> None:
    for given in (f"{nats_url} , nats://127.0.0.1:1", ["nats://127.0.0.1:1", nats_url]):
        async with SendOnce(given) as sendonce:
            assert await sendonce.returned(7) == 2


async def test_every_request_has_a_deadline_near_its_timeout(
    sendonce: SendOnce, service: Service
) -> None:
    await sendonce.wallet(5, "RUB", timeout=3)
    await sendonce.wallet(5, "RUB", timeout=60)

    near, far = (asked.request.not_after for asked in service.store.asked)
    assert 55 < (far - near).total_seconds() < 59
