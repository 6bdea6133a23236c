"""One generation from request to chat, through every service."""

import pytest

from contracts.values import JobState
from deployment import Deployment

pytestmark = pytest.mark.e2e


async def test_a_generation_goes_from_request_to_chat(deployment: Deployment):
    await deployment.sendonce.topup(user_id=7, currency="RUB", amount=1_000, reference="r1")

    job = await deployment.sendonce.create(
        key="tap-1",
        chat_id=7,
        user_id=7,
        model="nano-banana-2",
        input={"prompt": "a cat"},
        price=300,
    )
    (done,) = await deployment.until_final(job)

    assert done.state is JobState.DELIVERED
    assert deployment.showings(done) == [1]
    wallet = await deployment.sendonce.wallet(user_id=7, currency="RUB")
    assert (wallet.balance, wallet.held) == (700, 0)
