"""Every operation, end to end: asked for by libs/kie, lived by the fake KIE, read by libs/kie."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from kie.api import Created, KieApi, NotCreated, Unavailable, Unfit, http_client
from kie.explain import explain_callback
from kie.families import ENDPOINTS
from kie.reading import Reading, State, read_callback
from testkit.kie import SAMPLES, CallbackReceiver, FakeKie, Plan, TaskTruth
from testkit.kie.families import FAMILIES

CREATED = [name for name in SAMPLES if name != "veo_1080p"]
# Only its callback tells: by its id the record of the parent is found.
UNPOLLED = {"veo_4k"}
QUICK = Plan(seconds=0.0)
FAILING = Plan(seconds=0.0, fails=True, fail_code=501, fail_message="it did not work out")


@pytest.fixture
async def receiver() -> AsyncIterator[CallbackReceiver]:
    async with CallbackReceiver() as receiver:
        yield receiver


@pytest.fixture
async def kie() -> AsyncIterator[FakeKie]:
    async with FakeKie(retry_delays=(), create_rate=None) as kie:
        yield kie


@pytest.fixture
async def api(kie: FakeKie) -> AsyncIterator[KieApi]:
    async with http_client() as http:
        yield KieApi(http, base_url=kie.url, api_key=kie.api_key)


async def finished_video(kie: FakeKie, api: KieApi) -> str:
    kie.plan_next(QUICK)
    made = await create(api, "veo", callback_url=None, parent="")
    assert isinstance(made, Created), made
    await kie.until_settled(tasks=1)
    return made.task_id


async def create(api: KieApi, name: str, *, callback_url: str | None, parent: str) -> object:
    sample = SAMPLES[name]
    return await api.create_task(
        family=sample.family,
        operation=sample.operation,
        model=sample.model,
        input=json.loads(json.dumps(sample.given(parent=parent))),
        callback_url=callback_url,
    )


async def lived(
    kie: FakeKie, api: KieApi, receiver: CallbackReceiver, *, name: str, plan: Plan
) -> tuple[TaskTruth, Reading, Reading]:
    """Create, wait for the callback, and poll."""
    parent = await finished_video(kie, api)
    kie.plan_next(plan)
    made = await create(api, name, callback_url=receiver.url, parent=parent)
    assert isinstance(made, Created), made
    await kie.until_settled(tasks=2)
    sample, truth = SAMPLES[name], kie.tasks()[-1]
    assert truth.family == name
    assert truth.task_id == made.task_id
    await receiver.until(lambda it: len(it.received) == len(truth.callbacks))
    polled = await api.poll(family=sample.family, operation=sample.operation, task_id=made.task_id)
    return truth, read_callback(truth.callbacks[-1].body, family=name), polled


def shown(reading: Reading) -> tuple[set[str], list[str | None]]:
    return set(reading.result_urls), [medium.text for medium in reading.media if medium.text]


def test_every_operation_that_can_be_had_is_played() -> None:
    had = {one.name for one in ENDPOINTS if one.kind in ("created", "asked_for")}

    assert set(SAMPLES) == {family.name for family in FAMILIES} == had


@pytest.mark.parametrize("name", CREATED)
async def test_a_success_reads_alike_from_both_origins(
    kie: FakeKie, api: KieApi, receiver: CallbackReceiver, name: str
) -> None:
    truth, called, polled = await lived(kie, api, receiver, name=name, plan=QUICK)

    assert (called.state, called.task_id) == (State.SUCCEEDED, truth.task_id)
    assert called.anomalies == ()
    urls, texts = shown(called)
    if truth.media_urls[0].endswith(".txt"):
        assert texts
    else:
        assert urls == set(truth.media_urls)
    if name in UNPOLLED:
        assert (polled.state, polled.anomalies) == (State.UNKNOWN, ("other_operation",))
    else:
        assert (polled.state, polled.task_id) == (State.SUCCEEDED, truth.task_id)
        assert shown(polled) == (urls, texts)


@pytest.mark.parametrize("name", CREATED)
async def test_a_failure_reads_alike_from_both_origins(
    kie: FakeKie, api: KieApi, receiver: CallbackReceiver, name: str
) -> None:
    truth, called, polled = await lived(kie, api, receiver, name=name, plan=FAILING)

    for reading in (called,) if name in UNPOLLED else (called, polled):
        assert (reading.state, reading.task_id) == (State.FAILED, truth.task_id)
        assert reading.error_code == "501"
        assert reading.error_message == "it did not work out"
        assert reading.media == ()


@pytest.mark.parametrize("name", CREATED)
async def test_an_untold_family_is_not_misread(
    kie: FakeKie, api: KieApi, receiver: CallbackReceiver, name: str
) -> None:
    truth, called, _ = await lived(kie, api, receiver, name=name, plan=QUICK)

    explained = explain_callback(truth.callbacks[-1].body)

    assert explained.reading.state is State.SUCCEEDED
    assert shown(explained.reading) == shown(called)
    assert explained.reading.family is not None
    assert explained.oddities == ()


@pytest.mark.parametrize("name", [name for name in CREATED if name not in UNPOLLED])
async def test_a_running_task_is_progress(kie: FakeKie, api: KieApi, name: str) -> None:
    kie.plan_next(Plan(held=True))
    # Nobody listens there, and nobody is called before the end.
    made = await create(api, name, callback_url="http://127.0.0.1:9/cb", parent="a-parent")
    assert isinstance(made, Created), made
    sample = SAMPLES[name]

    reading = await api.poll(family=sample.family, operation=sample.operation, task_id=made.task_id)

    assert (reading.state, reading.task_id) == (State.PROGRESS, made.task_id)


async def test_1080p_is_asked_for_until_it_is_there(kie: FakeKie, api: KieApi) -> None:
    parent = await finished_video(kie, api)
    kie.plan_next(Plan(held=True))
    made = await create(api, "veo_1080p", callback_url=None, parent=parent)

    first = await api.poll(family="veo", operation="1080p", task_id=parent)
    kie.finish(f"{parent}.veo_1080p")
    await kie.until_settled(tasks=2)
    second = await api.poll(family="veo", operation="1080p", task_id=parent)

    assert made == Created(parent)
    assert first.state is State.PROGRESS
    assert second.state is State.SUCCEEDED
    assert second.result_urls == kie.tasks()[-1].media_urls
    assert second.result_urls != kie.task(parent).media_urls
    assert kie.tasks()[-1].callbacks == ()


async def test_other_forms_need_a_finished_video(kie: FakeKie, api: KieApi) -> None:
    polled = await api.poll(family="veo", operation="1080p", task_id="nobody")
    made = await create(api, "veo_4k", callback_url=None, parent="nobody")

    assert polled.state is State.NOT_FOUND
    assert isinstance(made, NotCreated)
    assert made.kind == "refused"
    assert kie.counts()["tasks"] == 0


async def test_4k_asked_for_twice_is_one_task(kie: FakeKie, api: KieApi) -> None:
    parent = await finished_video(kie, api)
    kie.plan_next(Plan(held=True))

    made = [await create(api, "veo_4k", callback_url=None, parent=parent) for _ in range(2)]
    kie.finish(f"{parent}.veo_4k")
    await kie.until_settled(tasks=2)
    made.append(await create(api, "veo_4k", callback_url=None, parent=parent))

    assert made == [Created(parent)] * 3
    assert kie.counts()["tasks"] == 2


@pytest.mark.parametrize("name", ["suno_music", "suno_wav", "suno_voice_regenerate"])
async def test_what_needs_a_callback_address_is_refused_without_one(
    kie: FakeKie, api: KieApi, name: str
) -> None:
    made = await create(api, name, callback_url=None, parent="a-parent")

    assert isinstance(made, Unfit)
    assert made.why == "callback_url_missing"
    assert kie.counts()["creates"] == 0


async def test_links_expire_and_are_given_out_again(kie: FakeKie, api: KieApi) -> None:
    kie.plan_next(Plan(seconds=0.0, media_life=0.0))
    made = await create(api, "market", callback_url=None, parent="")
    assert isinstance(made, Created)
    await kie.until_settled(tasks=1)
    (url,) = kie.task(made.task_id).media_urls

    fresh = await api.download_url(url)

    assert not isinstance(fresh, Unavailable)
    async with httpx.AsyncClient() as http:
        assert (await http.get(url)).status_code == 404
        assert (await http.get(fresh.url)).status_code == 200
        assert (await http.get(f"{url}?until=1")).status_code == 404


async def test_an_expired_runway_video_is_said_to_be(kie: FakeKie, api: KieApi) -> None:
    kie.plan_next(Plan(seconds=0.0, media_life=0.0))
    made = await create(api, "runway", callback_url=None, parent="")
    assert isinstance(made, Created)
    await kie.until_settled(tasks=1)

    reading = await api.poll(family="runway", task_id=made.task_id)

    assert reading.state is State.SUCCEEDED
    assert "result_expired" in reading.anomalies


async def test_links_live_as_long_as_the_server_says() -> None:
    server = FakeKie(retry_delays=(), create_rate=None, media_life=0.0, expired_status=403)
    async with server as kie, http_client() as http:
        api = KieApi(http, base_url=kie.url, api_key=kie.api_key)
        plans = ((QUICK, 403), (Plan(seconds=0.0, media_life=60.0), 200))
        for number, (plan, status) in enumerate(plans, start=1):
            kie.plan_next(plan)
            made = await create(api, "market", callback_url=None, parent="")
            assert isinstance(made, Created)
            await kie.until_settled(tasks=number)
            (url,) = kie.task(made.task_id).media_urls
            assert (await http.get(url)).status_code == status


async def test_the_balance_falls_with_what_is_made(kie: FakeKie, api: KieApi) -> None:
    before = await api.credits()
    kie.plan_next(QUICK)
    await create(api, "market", callback_url=None, parent="")
    await kie.until_settled(tasks=1)
    after = await api.credits()

    assert not isinstance(before, Unavailable)
    assert not isinstance(after, Unavailable)
    assert before.balance - after.balance == kie.tasks()[0].credits_consumed > 0


async def test_a_foreign_link_is_not_given_out(api: KieApi) -> None:
    told = await api.download_url("https://elsewhere.example/a.png")

    assert told == Unavailable("refused", "422", "url is wrong")
