"""The judge of every run sees what is lost, what is doubled and what went to the wrong chat."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from uuid import uuid4

import aiohttp
import pytest

from contracts.api import JobView
from contracts.values import Cause, JobState, MoneyState
from testkit.kie import SANDBOX_API_KEY, CallbackAttempt, CallbackKind, FakeKie, TaskTruth
from testkit.proof import Dropped, Ending, Generation, Sighting, sightings, without
from testkit.telegram import FakeTelegram, Limits

TOKEN = "7000000001:" + "x" * 35
CHAT, OTHER = 71, 72
RIGHT = Sighting(name="it", ever=1, is_visible=True, elsewhere=False)
UNSEEN = replace(RIGHT, ever=0, is_visible=False)
GONE = replace(RIGHT, is_visible=False)
TWICE = replace(RIGHT, ever=2)
ASTRAY = replace(RIGHT, elsewhere=True)


@pytest.fixture
async def kie() -> AsyncIterator[FakeKie]:
    async with FakeKie() as kie:
        yield kie


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(limits=Limits.off()) as telegram:
        yield telegram


async def made(
    kie: FakeKie, *, path: str = "/api/v1/jobs/createTask", model: str = "m"
) -> TaskTruth:
    """A task that has succeeded."""
    body = {"model": model, "prompt": "a fox", "callBackUrl": f"{kie.url}/nowhere"}
    headers = {"Authorization": f"Bearer {SANDBOX_API_KEY}"}
    async with (
        aiohttp.ClientSession() as client,
        client.post(kie.url + path, json=body, headers=headers) as answer,
    ):
        task_id = (await answer.json())["data"]["taskId"]
    await kie.until(lambda it: it.task(task_id).ended_at is not None)
    return kie.task(task_id)


async def send(telegram: FakeTelegram, method: str, **fields: object) -> None:
    address = f"{telegram.url}/bot{TOKEN}/{method}"
    async with aiohttp.ClientSession() as client, client.post(address, json=fields) as answer:
        assert answer.status == 200, await answer.text()


async def upload(telegram: FakeTelegram, method: str, **files: bytes) -> None:
    form = aiohttp.FormData({"chat_id": str(CHAT)})
    for field, content in files.items():
        form.add_field(field, content, filename="lyrics.txt")
    address = f"{telegram.url}/bot{TOKEN}/{method}"
    async with aiohttp.ClientSession() as client, client.post(address, data=form) as answer:
        assert answer.status == 200, await answer.text()


async def test_a_result_nobody_sent_is_unseen(kie: FakeKie, telegram: FakeTelegram) -> None:
    (seen,) = sightings(telegram, await made(kie), chat_id=CHAT)

    assert (seen.ever, seen.is_visible, seen.is_right) == (0, False, False)


async def test_a_result_sent_once_is_right(kie: FakeKie, telegram: FakeTelegram) -> None:
    task = await made(kie)

    await send(telegram, "sendPhoto", chat_id=CHAT, photo=task.media_urls[0])

    (seen,) = sightings(telegram, task, chat_id=CHAT)
    assert seen.is_right


async def test_a_result_sent_twice_is_doubled_even_when_one_is_deleted(
    kie: FakeKie, telegram: FakeTelegram
) -> None:
    task = await made(kie)
    await send(telegram, "sendPhoto", chat_id=CHAT, photo=task.media_urls[0])
    await send(telegram, "sendMessage", chat_id=CHAT, text=f"see {task.media_urls[0]}")

    telegram.delete_message(CHAT, telegram.visible(CHAT)[0].message_id)

    (seen,) = sightings(telegram, task, chat_id=CHAT)
    assert seen.is_doubled
    assert seen.is_visible


async def test_a_result_in_a_strangers_chat_is_not_right(
    kie: FakeKie, telegram: FakeTelegram
) -> None:
    task = await made(kie)

    await send(telegram, "sendPhoto", chat_id=OTHER, photo=task.media_urls[0])

    (seen,) = sightings(telegram, task, chat_id=CHAT)
    assert seen.is_doubled
    assert not seen.is_visible


async def test_words_are_found_in_their_file(kie: FakeKie, telegram: FakeTelegram) -> None:
    task = await made(kie, path="/api/v1/lyrics")
    lines = f"[Verse]\nThe lines of {task.task_id}/1\n".encode()

    await upload(telegram, "sendDocument", document=lines)

    seen = sightings(telegram, task, chat_id=CHAT)[0]
    assert seen.is_right


@dataclass(frozen=True, slots=True)
class Asked:
    key: str = "demo-1"
    marker: str = "demo-1"
    chat_id: int = CHAT


def job(state: JobState, *task_ids: str) -> JobView:
    return JobView.model_validate(
        {
            "id": uuid4(),
            "label": "7F3K2",
            "bot": "default",
            "key": "demo-1",
            "state": state,
            "version": 1,
            "chat_id": CHAT,
            "user_id": CHAT,
            "price": 0,
            "currency": "RUB",
            "money": MoneyState.NONE,
            "task_ids": task_ids,
            "cause": Cause.PROVIDER,
            "created_at": "2026-01-01T00:00:00Z",
        }
    )


async def ending(kie: FakeKie, state: JobState | None, *seen: Sighting) -> Ending:
    """What was asked, whose job is in this state, whose one task succeeded and was seen like this."""
    task = await made(kie)
    return Ending(
        asked=Asked(),
        job=None if state is None else job(state, task.task_id),
        generations=(Generation(task=task, results=seen),),
    )


@pytest.mark.parametrize(
    "state,seen,once,doubled,lost",
    [
        (JobState.DELIVERED, (RIGHT,), True, False, False),
        (JobState.DELIVERED, (RIGHT, RIGHT), True, False, False),
        (JobState.DELIVERED, (RIGHT, UNSEEN), False, False, True),
        (JobState.DELIVERED, (UNSEEN,), False, False, True),
        (JobState.DELIVERED, (GONE,), False, False, True),
        (JobState.DELIVERED, (TWICE,), False, True, False),
        (JobState.DELIVERED, (ASTRAY,), False, True, False),
        (JobState.FAILED, (UNSEEN,), False, False, True),
        (JobState.EXPIRED, (UNSEEN,), False, False, True),
        (JobState.RUNNING, (UNSEEN,), False, False, True),
        (JobState.SUCCEEDED, (RIGHT,), True, False, False),
        (None, (UNSEEN,), False, False, True),
    ],
)
async def test_what_counts_as_shown_and_lost(
    kie: FakeKie,
    state: JobState | None,
    seen: tuple[Sighting, ...],
    once: bool,  # noqa: FBT001 - a column of the table above
    doubled: bool,  # noqa: FBT001 - as above
    lost: bool,  # noqa: FBT001 - as above
) -> None:
    ended = await ending(kie, state, *seen)

    assert (ended.is_shown_once, ended.is_doubled, ended.is_lost) == (once, doubled, lost)


async def test_a_second_task_of_a_job_may_not_be_seen(kie: FakeKie) -> None:
    one, other = await made(kie), await made(kie)
    unseen = Generation(task=other, results=(UNSEEN,))
    ended = Ending(
        asked=Asked(),
        job=job(JobState.DELIVERED, one.task_id),
        generations=(Generation(task=one, results=(RIGHT,)), unseen),
    )

    assert (ended.is_shown_once, ended.is_lost) == (True, False)
    both = replace(ended, generations=(ended.generations[0], replace(unseen, results=(RIGHT,))))
    assert both.is_doubled
    assert not both.is_shown_once


async def test_what_went_down_with_the_bus_was_never_heard(kie: FakeKie) -> None:
    answered = CallbackAttempt(
        kind=CallbackKind.FINAL,
        attempt=1,
        at=1_800_000_000.0,
        seconds=0.25,
        status=200,
        error=None,
        answer="",
        body=b"{}",
        rightly_signed=None,
    )
    task = replace(await made(kie), callbacks=(answered,))
    gone = Dropped(task_id=task.task_id, kind=answered.kind, answered_at=1_800_000_000.25)
    heard = Generation(task=task, results=())
    unheard = Generation(task=without([task], [gone])[0], results=())

    assert (heard.called_back, unheard.called_back) == (True, False)
    assert without([task], [replace(gone, task_id="another")]) == [task]


async def test_a_task_nobody_heard_of_is_not_lost(kie: FakeKie) -> None:
    ended = await ending(kie, JobState.EXPIRED, UNSEEN)
    unheard = replace(ended, job=job(JobState.EXPIRED))

    assert ended.is_lost
    assert not unheard.is_lost
