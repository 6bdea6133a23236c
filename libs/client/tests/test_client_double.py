"""What only the double can do: play the network, time and Telegram at the test's word."""

import asyncio
import subprocess
import sys

import pytest

from contracts.api import JobView
from sendonce import (
    InvalidRequest,
    JobState,
    MediaKind,
    MoneyState,
    PartState,
    Paused,
    ReportedMedia,
    SendOnce,
    TooManyJobs,
    Unavailable,
)
from sendonce.testing import SendOnceDouble

VIDEO = ReportedMedia(kind=MediaKind.VIDEO, url="https://files.example/a.mp4")
WORDS = ReportedMedia(kind=MediaKind.TEXT, text="the lyrics")


async def create(sendonce: SendOnce, key: str = "k", price: int = 100) -> JobView:
    return await sendonce.create(
        model="m", input={}, key=key, chat_id=5, user_id=5, price=price, caption="yours"
    )


async def funded() -> SendOnceDouble:
    double = SendOnceDouble()
    await double.connect()
    await double.topup(5, currency="RUB", amount=1_000, reference="gift")
    return double


async def balance(double: SendOnceDouble) -> tuple[int, int]:
    wallet = await double.wallet(5, "RUB")
    return wallet.balance, wallet.held


async def test_while_sendonce_is_away_methods_are_unavailable() -> None:
    double = await funded()
    double.leave()

    with pytest.raises(Unavailable, match="it never arrived"):
        await create(double)
    double.come_back()

    assert double.jobs == ()


async def test_a_short_absence_is_a_slow_answer() -> None:
    double = await funded()
    double.leave()

    asking = asyncio.create_task(
        double.create(model="m", input={}, key="k", chat_id=5, user_id=5, timeout=10)
    )
    await asyncio.sleep(0)  # noqa: TID251 - lets it ask once
    double.come_back()

    assert (await asking).created


async def test_a_lost_reply_is_asked_again_and_acts_once() -> None:
    double = await funded()
    double.lose_replies(2)

    job = await create(double)

    assert not job.created
    assert await balance(double) == (900, 100)


async def test_a_result_that_cannot_be_shown_is_refunded() -> None:
    double = await funded()

    job = double.fail_to_show(await create(double))

    assert (job.state, job.money) == (JobState.UNDELIVERABLE, MoneyState.REFUNDED)
    assert await balance(double) == (1_000, 0)
    assert [str(event.event) for event in double.history][-2:] == ["succeeded", "undeliverable"]


async def test_a_parked_result_may_still_turn_out_not_to_be_showable() -> None:
    double = await funded()
    double.block(5)
    job = double.succeed(await create(double))
    assert job.parts[0].state is PartState.PARKED

    assert double.fail_to_show(job).money is MoneyState.REFUNDED
    assert await balance(double) == (1_000, 0)


async def test_a_result_after_the_expiry_is_a_gift() -> None:
    double = await funded()
    expired = double.expire(await create(double))
    assert (expired.state, await balance(double)) == (JobState.EXPIRED, (1_000, 0))

    late = double.succeed(expired)

    assert (late.state, late.money) == (JobState.DELIVERED, MoneyState.WAIVED)
    assert late.failure is None
    assert await balance(double) == (1_000, 0)


async def test_a_result_has_the_media_the_test_gives_it() -> None:
    double = await funded()

    job = double.succeed(await create(double), VIDEO, WORDS)

    assert [(part.ordinal, part.kind, part.text) for part in job.parts] == [
        (1, MediaKind.VIDEO, "yours"),
        (2, MediaKind.TEXT, "the lyrics"),
    ]
    assert len({part.message_id for part in job.parts}) == 2


async def test_a_job_ends_once() -> None:
    double = await funded()
    job = double.succeed(await create(double))

    for again in (double.succeed, double.fail, double.expire, double.start, double.fail_to_show):
        with pytest.raises(InvalidRequest, match="a job that is delivered cannot"):
            again(job)


async def test_a_pause_ends_when_the_owner_has_seen_to_it() -> None:
    double = await funded()
    double.pause()
    with pytest.raises(Paused):
        await create(double)

    double.resume()

    assert (await create(double)).created


async def test_a_user_with_as_many_jobs_as_the_limit_is_told_when_to_come_back() -> None:
    double = await funded()
    double.limit(open_jobs=1)
    job = await create(double, key="first")
    with pytest.raises(TooManyJobs) as refused:
        await create(double, key="second")
    assert refused.value.retry_after > 0

    double.succeed(job)

    assert (await create(double, key="second")).created


async def test_without_a_public_url_there_is_no_callback_url() -> None:
    async with SendOnceDouble(public_url=None) as double:
        job = await double.expect(key="k", chat_id=5, user_id=5)

    assert job.callback_url is None


async def test_a_job_of_another_double_is_a_mistake() -> None:
    one, other = await funded(), await funded()

    with pytest.raises(InvalidRequest, match="this double has no job"):
        other.succeed(await create(one))


def test_it_needs_nothing_that_is_not_installed_with_the_sdk() -> None:
    code = (
        "import sys, sendonce.testing;"
        "ours = {'testkit', 'chassis', 'kie', 'job_store', 'deliverer', 'aiogram', 'asyncpg'};"
        "print(sorted(ours & set(sys.modules)))"
    )

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "[]"
