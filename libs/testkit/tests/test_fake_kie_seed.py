"""Faults are drawn by the seed: alike for the same requests, as often as the profile says."""

import json
from random import Random

import httpx

from testkit.kie import CreateAnswer, Durations, FakeKie, Garbage, Plan, Profile
from testkit.kie.profiles import ODDS, draw_plan

CREATE = "/api/v1/jobs/createTask"


def client_of(kie: FakeKie) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {kie.api_key}"}
    return httpx.AsyncClient(base_url=kie.url, headers=headers, timeout=0.2)


async def fates(seed: int, *, order: int) -> dict[str, tuple[Plan, float]]:
    durations = Durations(shortest=3000.0, longest=3600.0)
    async with FakeKie(
        seed=seed, profile=Profile.HARD, create_rate=None, durations=durations, retry_delays=()
    ) as kie:
        async with client_of(kie) as http:
            http.timeout = httpx.Timeout(0.2)
            for number in range(40)[::order]:
                body = {"model": "m", "input": {"prompt": f"cat {number}"}}
                for _ in range(3):  # a rejected create is accepted when repeated
                    try:
                        answer = await http.post(CREATE, json=body)
                    except httpx.TransportError:
                        break
                    if answer.content.startswith(b'{"code":200'):
                        break
        return {json.dumps(it.request["input"]): (it.plan, it.seconds) for it in kie.tasks()}


async def test_the_seed_decides_whatever_the_order() -> None:
    first, second = await fates(7, order=1), await fates(7, order=-1)
    other = await fates(8, order=1)

    shared = first.keys() & second.keys()
    assert len(shared) > 30
    assert all(first[key] == second[key] for key in shared)
    assert any(first[key] != other[key] for key in shared & other.keys())
    assert {plan.create_answer for plan, _ in first.values()} > {CreateAnswer.OK}


def draws(profile: Profile, *, count: int) -> list[Plan]:
    durations = Durations()
    return [
        draw_plan(odds=ODDS[profile], durations=durations, dice=Random(number))
        for number in range(count)
    ]


def test_a_light_profile_fails_one_task_in_ten() -> None:
    failed = sum(plan.fails for plan in draws(Profile.LIGHT, count=2000))

    assert 150 < failed < 250


def test_a_hard_profile_knows_every_fault() -> None:
    plans = draws(Profile.HARD, count=2000)

    assert {plan.create_answer for plan in plans} == set(CreateAnswer)
    assert {plan.garbage for plan in plans} == {None, *Garbage}
    assert {plan.reject_code for plan in plans if plan.reject_creates} == {429, 455, 500}
    assert any(plan.copies > 1 and plan.parallel for plan in plans)
    assert any(plan.callback_before_answer and plan.seconds == 0 for plan in plans)
    assert any(plan.seconds is not None and plan.seconds > 1.5 for plan in plans)
    assert any(not plan.calls_back for plan in plans)
    assert any(plan.out_of_order for plan in plans)
    assert any(plan.callback_delay for plan in plans)
    assert any(plan.wrong_signatures for plan in plans)
