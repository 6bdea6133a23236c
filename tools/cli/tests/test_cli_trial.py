"""A trial tells the sandboxes what to do wrong, to its own errands only, and asks them what they saw."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from sendonce_cli.demo.errands import draw
from sendonce_cli.demo.options import Faults
from sendonce_cli.probes.kie import own_task
from sendonce_cli.trial.sandboxes import Sandboxes
from testkit.kie import FakeKie, Plan
from testkit.telegram import FakeTelegram

TOKEN = "7000000001:" + "x" * 35


@pytest.fixture
async def kie() -> AsyncIterator[FakeKie]:
    async with FakeKie(create_rate=None, retry_delays=()) as kie:
        yield kie


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as telegram:
        yield telegram


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as http:
        yield http


async def made(http: aiohttp.ClientSession, kie: FakeKie, prompt: str) -> str:
    return await own_task(
        http,
        kie.url,
        family="market",
        model="google/nano-banana",
        given={"prompt": prompt},
        callback_url=f"{kie.url}/nowhere",
    )


async def said(http: aiohttp.ClientSession, telegram: FakeTelegram, text: str) -> None:
    url = f"{telegram.url}/bot{TOKEN}/sendMessage"
    async with http.post(url, json={"chat_id": 5, "text": text}) as answer:
        await answer.read()


async def test_a_trial_sees_what_happened_since_it_began_and_to_its_own_errands(
    kie: FakeKie, telegram: FakeTelegram, http: aiohttp.ClientSession
) -> None:
    errands = draw(jobs=3, faults=Faults.NONE, seed=1, series="trial-9", first_user=900)
    around = Sandboxes(http, kie_url=kie.url + "/", telegram_url=telegram.url)
    kie.plan_next(Plan(seconds=0.0), count=2)
    await made(http, kie, "of another run")
    await said(http, telegram, "https://example.org/1.png")

    async with around.told(errands, faults=Faults.HARD, seed=1):
        armed = len(list(telegram.faults.armed()))
        telegram.faults.clear()
        task_id = await made(http, kie, errands[0].input["prompt"])
        await said(http, telegram, "https://example.org/2.png")
        await kie.until_settled(tasks=2, within=20)
        seen, remembered = await around.look(), await around.remembered()

    assert (seen.kie_tasks, seen.calls, seen.is_quiet) == (1, 1, True)
    assert [task.task_id for task in remembered.tasks] == [task_id]
    assert remembered.tasks[0].plan == errands[0].plan
    assert remembered.telegram.ever_shown("https://example.org/1.png") == []
    assert len(remembered.telegram.ever_shown("https://example.org/2.png")) == 1
    assert armed > 0


async def test_after_a_trial_nothing_goes_wrong_any_more(
    kie: FakeKie, telegram: FakeTelegram, http: aiohttp.ClientSession
) -> None:
    errands = draw(jobs=1, faults=Faults.NONE, seed=1, series="trial-9", first_user=900)
    around = Sandboxes(http, kie_url=kie.url, telegram_url=telegram.url)

    with pytest.raises(KeyError):
        async with around.told(errands, faults=Faults.LIGHT, seed=1):
            raise KeyError

    assert list(telegram.faults.armed()) == []


async def test_a_callback_that_nobody_takes_is_waited_for_in_bounds(
    kie: FakeKie, telegram: FakeTelegram, http: aiohttp.ClientSession
) -> None:
    around = Sandboxes(http, kie_url=kie.url, telegram_url=telegram.url)
    task_id = await made(http, kie, "a fox plan:ok")

    with pytest.raises(TimeoutError):
        await around.until_acknowledged(task_id, within=0.1)
