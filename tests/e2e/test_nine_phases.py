"""The nine phases of the first system's smoke test, as nine real assertions."""

import pytest
from test_promises import own_task, waiting_orphan

from contracts.values import JobState, MoneyState
from deployment import Deployment
from testkit.telegram import ChatKind

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def test_nine_phases(deployment: Deployment):
    sendonce = deployment.sendonce

    # 1 user: a wallet of their own
    user = await sendonce.topup(user_id=999_999, currency="RUB", amount=1_000, reference="pay-1")
    assert user.user_id == 999_999
    # 2 balance
    assert (await sendonce.wallet(user_id=999_999, currency="RUB")).balance == 1_000
    # 3 job: created with its hold
    job = await sendonce.create(
        key="phase-3",
        chat_id=42,
        user_id=999_999,
        model="nano-banana-2",
        input={"prompt": "a cat"},
        price=400,
    )
    assert (await sendonce.wallet(user_id=999_999, currency="RUB")).held == 400
    # 4 task: KIE knows it under the id the job carries
    running = await deployment.until_state(
        job, JobState.RUNNING, JobState.SUCCEEDED, JobState.DELIVERED
    )
    (task_id,) = running.task_ids
    assert deployment.kie.task(task_id) is not None
    # 5 callback: the signed one ends the job
    (done,) = await deployment.until_final(job)
    assert deployment.kie.task(task_id).callbacks[0].accepted
    # 6 charge
    wallet = await sendonce.wallet(user_id=999_999, currency="RUB")
    assert (wallet.balance, wallet.held, done.money) == (600, 0, MoneyState.CAPTURED)
    # 7 delivery: the picture stands in exactly one message
    assert deployment.showings(done) == [1]
    # 8 orphan: a callback before its job is kept and matched
    expected = await sendonce.expect(key="phase-8", chat_id=43, user_id=999_999)
    orphan_task = await own_task(deployment, f"{deployment.gateway_url}/callbacks/kie")
    await waiting_orphan(deployment, orphan_task)
    await sendonce.attach(job_id=expected.id, task_id=orphan_task)
    (matched,) = await deployment.until_final(expected)
    assert deployment.showings(matched) == [1]
    # 9 undelivered: a blocked user's result is listed until it is shown
    deployment.telegram.add_chat(44, kind=ChatKind.PRIVATE)
    deployment.telegram.block(44)
    waiting = await sendonce.create(
        key="phase-9", chat_id=44, user_id=999_999, model="m", input={"prompt": "x"}, status="none"
    )
    await deployment.until_part(waiting, "parked")
    listed = await sendonce.undelivered()
    assert [found.id for found in listed.jobs] == [waiting.id]
