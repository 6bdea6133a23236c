"""Each family of the fake KIE answers, calls back and is polled in its own dialect."""

import json
from collections.abc import AsyncIterator, Mapping

import httpx
import pytest

from testkit.kie import SAMPLES, CallbackReceiver, FakeKie, Plan, State
from testkit.kie.families import FAMILIES, Family

QUICK = Plan(seconds=0.0)
BY_NAME = {family.name: family for family in FAMILIES}
# The other forms of a video need one; `test_fake_kie_dialects` makes it.
CREATED = tuple(family for family in FAMILIES if not family.of_parent)


def dig(body: object, *keys: str | int) -> object:
    for key in keys:
        if isinstance(body, Mapping):
            body = body[str(key)]
        elif isinstance(body, list) and isinstance(key, int):
            body = body[key]
        else:
            pytest.fail(f"no {key} in {body}")
    return body


def request_for(family: Family, callback_url: str, *, parent: str) -> dict[str, object]:
    sample = SAMPLES[family.name]
    given = sample.given(parent=parent)
    asked = {"input": given} if family.name == "market" else dict(given)
    return {**asked, "model": sample.model, family.callback_key: callback_url}


@pytest.fixture
async def receiver() -> AsyncIterator[CallbackReceiver]:
    async with CallbackReceiver() as receiver:
        yield receiver


@pytest.fixture
async def kie() -> AsyncIterator[FakeKie]:
    async with FakeKie(retry_delays=(), create_rate=None) as kie:
        yield kie


@pytest.fixture
async def http(kie: FakeKie) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {kie.api_key}"}
    async with httpx.AsyncClient(base_url=kie.url, headers=headers) as http:
        yield http


async def made(http: httpx.AsyncClient, family: Family, url: str, *, parent: str = "a-song") -> str:
    assert family.create_path is not None
    request = request_for(family, url, parent=parent)
    answer = (await http.post(family.create_path, json=request)).json()
    assert answer["code"] == 200, answer
    return str(answer["data"]["taskId"])


@pytest.mark.parametrize("family", CREATED, ids=lambda family: family.name)
async def test_success_is_created_called_back_and_polled(
    kie: FakeKie, http: httpx.AsyncClient, receiver: CallbackReceiver, family: Family
) -> None:
    kie.plan_next(QUICK)

    task_id = await made(http, family, receiver.url)
    await kie.until_settled(tasks=1)
    await receiver.until(lambda it: len(it.received) == 1 + len(family.stages))
    poll = await http.get(family.poll_path, params={"taskId": task_id})

    truth = kie.task(task_id)
    final = truth.callbacks[-1]
    assert truth.state is State.SUCCEEDED
    assert truth.family == family.name
    assert task_id.encode() in final.body
    assert json.loads(final.body)["code"] == 200
    assert poll.json()["code"] == 200
    if truth.media_urls[0].endswith(".txt"):
        return  # the result is the text itself
    assert truth.media_urls[0].encode() in final.body
    assert truth.media_urls[0] in json.dumps(poll.json())


FAILURES: dict[str, tuple[int, tuple[str, ...], tuple[str, ...], object]] = {
    # envelope code of the callback, where its task id stands, where the poll says "failed"
    "market": (501, ("data", "taskId"), ("data", "state"), "fail"),
    "veo": (400, ("data", "taskId"), ("data", "successFlag"), 3),
    "suno_music": (400, ("data", "task_id"), ("data", "status"), "GENERATE_AUDIO_FAILED"),
    "suno_replace_section": (400, ("data", "task_id"), ("data", "status"), "GENERATE_AUDIO_FAILED"),
    "suno_wav": (400, ("data", "task_id"), ("data", "successFlag"), "GENERATE_WAV_FAILED"),
    "suno_mp4": (400, ("data", "task_id"), ("data", "successFlag"), "GENERATE_MP4_FAILED"),
    "suno_vocal_removal": (
        400,
        ("data", "task_id"),
        ("data", "successFlag"),
        "GENERATE_AUDIO_FAILED",
    ),
    "suno_midi": (400, ("data", "taskId"), ("data", "successFlag"), 3),
    "suno_cover_image": (400, ("data", "taskId"), ("data", "successFlag"), 3),
    "suno_voice_validate": (
        400,
        ("data", "taskId"),
        ("data", "status"),
        "processing_validate_fail",
    ),
    "suno_voice_generate": (400, ("data", "taskId"), ("data", "status"), "fail"),
    "suno_lyrics": (400, ("data", "task_id"), ("data", "status"), "GENERATE_LYRICS_FAILED"),
    "gpt4o_image": (400, ("data", "taskId"), ("data", "status"), "GENERATE_FAILED"),
    "flux_kontext": (400, ("data", "taskId"), ("data", "successFlag"), 2),
    "runway": (400, ("data", "task_id"), ("data", "state"), "fail"),
    "aleph": (400, ("taskId",), ("data", "errorCode"), 400),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_failure_is_worded_as_the_family_words_it(
    kie: FakeKie, http: httpx.AsyncClient, receiver: CallbackReceiver, name: str
) -> None:
    family = BY_NAME[name]
    code, task_id_at, failed_at, failed = FAILURES[name]
    kie.plan_next(Plan(seconds=0.0, fails=True, fail_code=400, fail_message="not this"))

    task_id = await made(http, family, receiver.url)
    await kie.until_settled(tasks=1)
    poll = await http.get(family.poll_path, params={"taskId": task_id})

    truth = kie.task(task_id)
    body = json.loads(truth.callbacks[-1].body)
    assert body["code"] == code
    assert dig(body, *task_id_at) == task_id
    assert "not this" in json.dumps(body)
    assert dig(poll.json(), *failed_at) == failed
    assert truth.media_urls == ()
    assert truth.credits_consumed == 0


async def test_market_strings_hold_json_twice(
    kie: FakeKie, http: httpx.AsyncClient, receiver: CallbackReceiver
) -> None:
    kie.plan_next(QUICK)
    asked = {"prompt": "two cats", "num_images": 2}

    await http.post(
        "/api/v1/jobs/createTask",
        json={"model": "nano-banana-2", "input": asked, "callBackUrl": receiver.url},
    )
    await receiver.until(lambda it: bool(it.received))

    told = receiver.received[0].json()
    param = json.loads(str(dig(told, "data", "param")))
    assert json.loads(param["input"]) == asked
    assert param["callBackUrl"] == receiver.url
    assert len(json.loads(str(dig(told, "data", "resultJson")))["resultUrls"]) == 2


async def test_suno_tells_text_first_complete(
    kie: FakeKie, http: httpx.AsyncClient, receiver: CallbackReceiver
) -> None:
    kie.plan_next(Plan(seconds=0.3))

    await made(http, BY_NAME["suno_music"], receiver.url)
    await receiver.until(lambda it: len(it.received) == 3)

    told = [(dig(it.json(), "data", "callbackType")) for it in receiver.received]
    tracks = dig(receiver.received[-1].json(), "data", "data")
    assert told == ["text", "first", "complete"]
    assert isinstance(tracks, list)
    assert len(tracks) == 2


async def test_suno_polls_as_callback_exception_when_nobody_takes_the_callback(
    kie: FakeKie, http: httpx.AsyncClient, receiver: CallbackReceiver
) -> None:
    kie.plan_next(Plan(seconds=0.0, stages=False))
    receiver.answers.append(503)

    task_id = await made(http, BY_NAME["suno_music"], receiver.url)
    await kie.until_settled(tasks=1)
    poll = await http.get("/api/v1/generate/record-info", params={"taskId": task_id})

    assert dig(poll.json(), "data", "status") == "CALLBACK_EXCEPTION"
    assert dig(poll.json(), "data", "response", "sunoData", 0, "audioUrl")


async def test_a_running_task_polls_as_waiting(
    kie: FakeKie, http: httpx.AsyncClient, receiver: CallbackReceiver
) -> None:
    kie.plan_next(Plan(seconds=60.0))

    task_id = await made(http, BY_NAME["market"], receiver.url)
    poll = await http.get("/api/v1/jobs/recordInfo", params={"taskId": task_id})

    assert dig(poll.json(), "data", "state") == "waiting"
    assert dig(poll.json(), "data", "resultJson") == ""


@pytest.mark.parametrize(
    "path,answer",
    [
        ("/api/v1/jobs/recordInfo", {"code": 422, "msg": "recordInfo is null", "data": None}),
        ("/api/v1/veo/record-info", {"code": 422, "msg": "record is null", "data": None}),
        ("/api/v1/generate/record-info", {"code": 200, "msg": "success", "data": None}),
    ],
)
async def test_unknown_ids_have_no_record(
    http: httpx.AsyncClient, path: str, answer: dict[str, object]
) -> None:
    poll = await http.get(path, params={"taskId": "nobody"})

    assert poll.status_code == 200
    assert poll.json() == answer


async def test_a_task_has_no_record_at_another_family(
    http: httpx.AsyncClient, receiver: CallbackReceiver
) -> None:
    veo = BY_NAME["veo"]

    task_id = await made(http, veo, receiver.url)
    poll = await http.get("/api/v1/jobs/recordInfo", params={"taskId": task_id})

    assert poll.json()["msg"] == "recordInfo is null"
