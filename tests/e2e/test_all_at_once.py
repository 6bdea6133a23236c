"""Ten times as much as usual in one moment: it takes longer, and that is all."""

import asyncio

import pytest

from contracts.values import JobState, MoneyState
from deployment import Deployment
from testkit.kie import Plan

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

BURST = 300  # results; Telegram takes thirty calls in a second, and each result is two of them
PRICE = 10
COPIES = 2  # of every callback


async def test_fault_58_three_hundred_results_in_one_moment_are_each_charged_and_shown_once(
    deployment: Deployment,
):
    await deployment.sendonce.topup(7, currency="RUB", amount=BURST * PRICE, reference="r")
    deployment.kie.plan_next(Plan(held=True), count=BURST)
    deployment.kie.switches.duplicate_all(COPIES, parallel=True)

    jobs = await asyncio.gather(
        *(
            deployment.sendonce.create(
                key=f"burst-{number}",
                chat_id=10_000 + number,
                user_id=7,
                model="nano-banana-2",
                input={"prompt": "a cat"},
                price=PRICE,
                status="none",
                timeout=60,
            )
            for number in range(BURST)
        )
    )
    await deployment.kie.until(lambda kie: kie.counts()["tasks"] == BURST, within=60)
    for task in deployment.kie.tasks():
        deployment.kie.finish(task.task_id)

    async def all_delivered() -> bool:
        (bot,) = (await deployment.ops("status"))["bots"]
        return bool(bot["by_state"].get("delivered") == BURST)

    await deployment.eventually(all_delivered, within=120)
    done = await deployment.until_final(*jobs)

    assert {(job.state, job.money) for job in done} == {(JobState.DELIVERED, MoneyState.CAPTURED)}
    assert [deployment.showings(job) for job in done] == [[1]] * BURST
    wallet = await deployment.sendonce.wallet(7, currency="RUB")
    assert (wallet.balance, wallet.held) == (0, 0)
    findings = (await deployment.ops("doctor"))["findings"]
    assert [one["check"] for one in findings if not one["ok"]] == []
