"""The first system's defects in callbacks and delivery, each by its number; a test fails on the defect."""

import asyncio
import json
import time

import asyncpg
import httpx
import pytest

from bot_that_calls_kie import PICTURE, call_back, create, expected, market, own_task, success
from contracts.values import JobState
from deployment import TOKEN, Deployment
from kie.reading import read_callback
from testkit.kie import CreateAnswer, Plan
from testkit.telegram import ChatKind, FaultPlan, Mode

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def test_defect_01_a_second_callback_sends_no_second_message(deployment: Deployment):
    job = await create(deployment)
    (done,) = await deployment.until_final(job)
    (task_id,) = done.task_ids
    messages = len(deployment.telegram.visible(7))

    assert await deployment.kie.call_back_again(task_id)
    # Reports are read in order: when the next job is done, the repeated one has been read.
    await deployment.until_final(await create(deployment, chat_id=1))

    (after,) = await deployment.until_final(job)
    assert deployment.showings(after) == [1]
    assert len(deployment.telegram.visible(7)) == messages


async def heard(deployment: Deployment, callbacks: int) -> bool:
    status = await deployment.ops("status")
    return bool(status["callbacks"] >= callbacks)


async def test_defects_02_and_03_what_is_delivered_is_marked_and_the_rest_is_listed(
    deployment: Deployment,
):
    deployment.telegram.add_chat(8, kind=ChatKind.PRIVATE)
    deployment.telegram.block(8)
    blocked = await create(deployment, chat_id=8, status="none")
    await deployment.until_part(blocked, "parked")

    (done,) = await deployment.until_final(await create(deployment, chat_id=7))

    assert done.state is JobState.DELIVERED
    assert [part.state for part in done.parts] == ["shown"]
    undelivered = await deployment.sendonce.undelivered()
    assert [job.id for job in undelivered.jobs] == [blocked.id]


async def test_defect_04_a_failed_send_is_tried_again(deployment: Deployment):
    deployment.telegram.faults.add(
        FaultPlan(mode=Mode.BAD_GATEWAY, methods=frozenset({"editMessageMedia"}), times=5)
    )
    (done,) = await deployment.until_final(await create(deployment), within=60)
    assert deployment.showings(done) == [1]


async def test_defect_05_the_documented_payload_is_understood(deployment: Deployment):
    job, task_id = await expected(deployment)

    assert await call_back(job.callback_url, success(task_id, deployment.kie.url + "/x.png")) == 200

    found = await deployment.until_state(job, JobState.SUCCEEDED, JobState.DELIVERED)
    assert [part.url for part in found.parts] == [deployment.kie.url + "/x.png"]


async def test_defect_06_an_intermediate_or_unknown_state_fails_nothing(deployment: Deployment):
    job, task_id = await expected(deployment, chat_id=61)
    states = ["waiting", "queuing", "generating", "Success", "done?", "a state of tomorrow"]

    for number, state in enumerate(states, start=1):
        assert await call_back(job.callback_url, market(task_id, state)) == 200
        await deployment.eventually(lambda n=number: heard(deployment, n))

    assert (await deployment.sendonce.get(job_id=job.id)).state is JobState.RUNNING
    deployment.kie.finish(task_id)
    (done,) = await deployment.until_final(job)
    assert deployment.showings(done) == [1]
    assert not any("failed" in said.text for said in deployment.telegram.visible(61))


@pytest.mark.parametrize("late", ["waiting", "generating", "fail", "success"])
async def test_defect_07_what_has_ended_stays_ended(deployment: Deployment, late: str):
    job, task_id = await expected(deployment)
    deployment.kie.finish(task_id)
    (done,) = await deployment.until_final(job)
    calls = deployment.telegram.calls

    await call_back(job.callback_url, market(task_id, late, failCode="400", failMsg="too late"))
    await deployment.eventually(lambda: heard(deployment, 2))

    (after,) = await deployment.until_final(job)
    assert (after.state, after.version) == (JobState.DELIVERED, done.version)
    assert deployment.telegram.calls == calls


async def orphan_of(deployment: Deployment, task_id: str) -> dict[str, str]:
    async def stored() -> dict[str, str] | None:
        listed = await deployment.ops("orphans.list", limit=500)
        return next((one for one in listed["orphans"] if one["task_id"] == task_id), None)

    orphan: dict[str, str] = await deployment.eventually(stored)
    return orphan


async def test_defects_08_and_09_a_fresh_orphan_survives_the_sweeps_and_is_delivered(
    deployment: Deployment,
):
    job = await deployment.sendonce.expect(key="orphan", chat_id=9, user_id=7)
    task_id = await own_task(deployment, f"{deployment.gateway_url}/callbacks/kie", Plan(seconds=0))
    assert (await orphan_of(deployment, task_id))["state"] == "waiting"

    # The sweep runs every second: two ticks of it pass while another job goes by.
    began = time.monotonic()
    while time.monotonic() - began < 2.2:
        await deployment.until_final(await create(deployment))
    assert (await orphan_of(deployment, task_id))["state"] == "waiting"

    await deployment.sendonce.attach(job_id=job.id, task_id=task_id)
    (done,) = await deployment.until_final(job)
    assert deployment.showings(done) == [1]
    assert (await orphan_of(deployment, task_id))["state"] == "matched"


async def test_defect_10_an_expired_orphan_that_comes_again_waits_again(deployment: Deployment):
    door = f"{deployment.gateway_url}/callbacks/kie"
    task_id = await own_task(deployment, "http://127.0.0.1:9/nobody", Plan(seconds=0))
    await call_back(door, success(task_id))
    await orphan_of(deployment, task_id)
    connection = await asyncpg.connect(deployment.database_url)
    try:
        await connection.execute("UPDATE sendonce.orphans SET seen_at = now() - interval '2 h'")
    finally:
        await connection.close()

    async def is_now(state: str) -> bool:
        return (await orphan_of(deployment, task_id))["state"] == state

    await deployment.eventually(lambda: is_now("expired"))

    # KIE repeats it with another time in the body; the very same bytes would be one message.
    await call_back(door, success(task_id) | {"msg": "again"})

    await deployment.eventually(lambda: is_now("waiting"))


async def test_defect_11_an_orphan_makes_no_job(deployment: Deployment):
    task_id = await own_task(deployment, f"{deployment.gateway_url}/callbacks/kie", Plan(seconds=0))
    await orphan_of(deployment, task_id)
    assert (await deployment.ops("jobs.list"))["jobs"] == []


async def test_defect_12_the_job_exists_before_the_provider_is_asked(deployment: Deployment):
    deployment.kie.plan_next(Plan(create_delay=1.0, callback_before_answer=True))

    job = await create(deployment)
    await deployment.kie.until(lambda kie: kie.counts()["creates"] == 1)

    assert (await deployment.sendonce.get(job_id=job.id)).state is not JobState.CREATED
    (done,) = await deployment.until_final(job)
    assert deployment.showings(done) == [1]
    assert (await deployment.ops("orphans.list"))["orphans"] == []


async def test_defect_13_an_accepted_task_whose_answer_was_lost_is_not_lost(
    deployment: Deployment,
):
    deployment.kie.plan_next(Plan(create_answer=CreateAnswer.CLOSED))

    (done,) = await deployment.until_final(await create(deployment))

    assert deployment.showings(done) == [1]
    assert deployment.kie.counts()["tasks"] == 1


async def test_defect_14_slow_telegram_does_not_slow_the_answer_to_the_callback(
    deployment: Deployment,
):
    job, task_id = await expected(deployment)
    deployment.telegram.faults.add(
        FaultPlan(mode=Mode.COMMIT_THEN_HANG, methods=frozenset({"editMessageMedia"}), times=1)
    )
    began = time.monotonic()

    assert await call_back(job.callback_url, success(task_id)) == 200

    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    "input_",
    [
        {"task": "upscale", "deeper": {"task_id": "wrong"}},
        {"id": "wrong", "taskId": "wrong"},
        {"meta": {"task": "cleanup", "recordId": "wrong"}},
    ],
)
def test_defect_15_a_task_id_is_never_searched_for(input_: dict[str, object]):
    body = {"code": 200, "data": {"taskId": "right", "state": "success", "input": input_}}
    elsewhere = {"code": 200, "data": {"state": "success", "input": input_}, "meta": input_}

    assert read_callback(json.dumps(body).encode()).task_id == "right"
    assert read_callback(json.dumps(elsewhere).encode()).task_id is None


async def test_defect_16_only_a_signed_path_is_believed_and_nothing_is_echoed(
    deployment: Deployment,
):
    job, task_id = await expected(deployment)
    forged = (job.callback_url or "")[:-4] + "AAAA"
    secret = "<script>echo</script>"

    async with httpx.AsyncClient() as http:
        refused = await http.post(forged, json=success(task_id, secret))
        too_large = await http.post(
            f"{deployment.gateway_url}/callbacks/kie", json={"x": "y" * 3_000_000}
        )

    assert (refused.status_code, too_large.status_code) == (401, 413)
    assert secret not in refused.text
    assert task_id not in refused.text
    assert (await deployment.sendonce.get(job_id=job.id)).state is JobState.RUNNING


async def test_defect_17_polling_sees_the_success(deployment: Deployment):
    deployment.kie.switches.suppress_all_callbacks = True
    (done,) = await deployment.until_final(await create(deployment), within=60)
    assert (done.state, deployment.showings(done)) == (JobState.DELIVERED, [1])


async def test_defect_18_callback_and_poll_together_show_one_message(deployment: Deployment):
    """Thirty results, each told by five callbacks at once and by a poll."""
    deployment.kie.switches.duplicate_all(5, parallel=True)
    jobs = await asyncio.gather(
        *(
            create(deployment, f"plan:{'late' if n % 2 else 'ok'}", chat_id=100 + n)
            for n in range(30)
        )
    )

    done = await deployment.until_final(*jobs, within=60)

    assert [deployment.showings(job) for job in done] == [[1]] * 30
    texts = [len(deployment.telegram.visible(100 + n)) for n in range(30)]
    assert max(texts) <= 2  # the result, and at most the old status as a pointer to it


async def test_defect_19_links_with_a_query_and_hostile_words_are_shown_as_they_are(
    deployment: Deployment,
):
    """A signed link is a medium, many results are all shown, and no word is read as markup."""
    deployment.kie.plan_next(Plan(outputs=12))
    many = await create(deployment, chat_id=191, caption="one\ntwo <b>three</b> & four")
    hostile = Plan(fails=True, fail_message="<b prompt</a>&\\n")
    deployment.kie.plan_next(hostile)
    failed = await create(deployment, chat_id=192)

    done, refused = await deployment.until_final(many, failed, within=90)

    assert deployment.showings(done) == [1] * 12
    captions = [said.text for said in deployment.telegram.visible(191) if "two" in said.text]
    assert captions == ["one\ntwo <b>three</b> & four"]
    assert refused.state is JobState.FAILED
    assert not any("<b" in said.text for said in deployment.telegram.visible(192))


async def test_defect_19_a_link_with_a_query_is_a_medium(deployment: Deployment):
    base = await a_picture(deployment)
    done = await deployment.sendonce.deliver(
        key="signed",
        chat_id=193,
        user_id=7,
        media=[{"kind": "image", "url": f"{base}?X-Sig=a&b=c"}],
    )
    (shown,) = await deployment.until_final(done)
    assert deployment.showings(shown) == [1]
    assert [message.kind for message in deployment.telegram.visible(193)] == ["photo"]


async def a_picture(deployment: Deployment) -> str:
    (made,) = await deployment.until_final(await create(deployment, chat_id=999))
    url = made.parts[0].url
    assert url is not None
    return url


async def test_defect_31_no_secret_stands_in_a_public_path(deployment: Deployment):
    job, _ = await expected(deployment)
    url = job.callback_url or ""
    assert TOKEN not in url
    assert deployment.kie.api_key not in url
    assert PICTURE not in url
