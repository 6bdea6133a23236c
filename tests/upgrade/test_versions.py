"""Another version is told what it knows, spoken to by its own SDK, and never taken for one that is not there."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from deployment import Deployment
from sendonce import InsufficientFunds
from upgrade.other_sdk import other_sdk
from upgrade.versions import NoSuchVersion, another, this


def test_a_version_is_not_told_settings_that_it_does_not_know() -> None:
    old = replace(this(), settings=frozenset({"NATS_URL"}))
    told = {"NATS_URL": "nats://a", "OF_A_NEWER_VERSION": "1"}

    assert old.environment(told) == {"SENDONCE_NATS_URL": "nats://a", "PYTHONPATH": ""}
    assert old.unknown(told) == ["OF_A_NEWER_VERSION"]


def test_a_ref_that_is_nothing_here_is_said() -> None:
    with pytest.raises(NoSuchVersion, match="names no commit"):
        another("refs/tags/never", print)


def test_this_version_runs_by_the_python_that_runs_it() -> None:
    assert this().module("job_store") == (sys.executable, "-P", "-m", "job_store")


@pytest.mark.e2e
async def test_a_bot_of_its_own_python_asks_is_refused_and_hears_of_each_end_once(
    deployment: Deployment, tmp_path: Path
) -> None:
    async with other_sdk(this(), nats_url=deployment.nats_url, log=tmp_path / "bot.log") as bot:
        asked = {
            "model": "google/nano-banana",
            "input": {"prompt": "x"},
            "chat_id": 1,
            "user_id": 1,
        }
        with pytest.raises(InsufficientFunds):
            await bot.create(**asked, key="a", price=10)
        wallet = await bot.topup(1, currency="RUB", amount=100, reference="r")
        job = await bot.create(**asked, key="b", price=10)
        await deployment.until_final(job)

        async def is_heard() -> bool:
            return job.id in await bot.heard()

        await deployment.eventually(is_heard)
        assert await bot.heard() == {job.id: 1}

    assert (wallet.balance, job.key) == (100, "b")
