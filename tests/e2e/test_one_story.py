"""The whole life of one job as an operator reads it: a lost callback, two attempts, a refund."""

import re

import pytest

from deployment import Deployment

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

REFUSED = "Flood control exceeded on method 'EditMessageMedia' in chat 11. Retry in 1 seconds."


def told(screen: str) -> list[str]:
    """What happened, without the moments."""
    rows = screen.split("what happened")[1].splitlines()
    return [" ".join(row.split()[2:]) for row in rows if re.match(r"\s*[\d.]+ s ", row)]


async def test_a_lost_callback_two_attempts_and_a_refund(deployment: Deployment) -> None:
    bot = deployment.sendonce
    await bot.topup(user_id=7, amount=5_000, reference="r", currency="RUB")
    deployment.telegram.faults.plan("429_n", "edit", chat_id=11, retry_after=1)
    job = await bot.create(
        key="story",
        chat_id=11,
        user_id=7,
        model="nano-banana-2",
        input={"prompt": "a lake plan:silent"},
        price=300,
    )
    (done,) = await deployment.until_final(job)
    await deployment.command("jobs", "refund", "story", "--why", "not her cat", "--yes")
    screen = await deployment.command("jobs", "show", "story")

    assert "heard     no callback came, 1 by asking KIE" in screen
    assert "3.00 RUB, refunded" in screen
    (task_id,), message = done.task_ids, done.parts[0].message_id
    (operator,) = [line for line in told(screen) if line.startswith("operator")]
    assert operator.endswith(": not her cat")
    status = [line for line in told(screen) if " status" in line]
    assert status == ["attempt status no 1", f"outcome status no 1 done, message {message}"]
    assert [line for line in told(screen) if line not in {*status, operator}] == [
        "ledger hold 3.00 RUB",
        "event created",
        "attempt submit no 1",
        f"outcome submit no 1 done, task {task_id}",
        "event running",
        "attempt poll no 1",
        "report poll succeeded, trusted",
        "ledger capture 3.00 RUB",
        "event succeeded",
        "attempt show no 1",
        f"outcome show no 1 later: {REFUSED}",
        "attempt show no 2",
        f"outcome show no 2 done, message {message}",
        "event delivered",
        "ledger refund 3.00 RUB",
    ]
