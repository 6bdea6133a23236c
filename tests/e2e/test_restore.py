"""Postgres restored from a backup, and JetStream lost whole: what was shown is not shown again."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chaos.restore import back_up, put_back
from contracts.values import JobState
from deployment import Deployment, deployed
from job_store.migrate import migrate_bus, migrate_database
from testkit.servers import Durability, NatsServer, PostgresServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest.fixture
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PostgresServer]:
    directory = tmp_path_factory.mktemp("restore")
    async with PostgresServer(directory / "postgres", durability=Durability.KILL) as server:
        await migrate_database(server.url)
        yield server


async def shown(running: Deployment, key: str, prompt: str = "plan:ok") -> str:
    """Have a job shown; returns its id."""
    job = await running.sendonce.create(
        key=key, chat_id=7, user_id=7, model="nano-banana-2", input={"prompt": f"{prompt} {key}"}
    )
    (ended,) = await running.until_final(job)
    assert ended.state is JobState.DELIVERED
    return str(ended.id)


async def resumed(running: Deployment) -> None:
    async def over() -> bool:
        return not (await running.ops("resume", advance=True))["held"]

    await running.eventually(over, within=30)


async def test_fault_59_what_was_shown_after_the_backup_is_not_shown_again(
    postgres: PostgresServer, nats_url: str
) -> None:
    async with deployed(database_url=postgres.url, nats_url=nats_url) as running:
        await shown(running, "before")
        open_job = await running.sendonce.create(
            key="open",
            chat_id=7,
            user_id=7,
            model="nano-banana-2",
            input={"prompt": "plan:held open"},
            status="none",  # a result with a carrier of its own, which the backup knows nothing of
        )
        await running.until_state(open_job, JobState.RUNNING)
        await back_up(postgres)
        (task_id,) = (await running.sendonce.get(job_id=open_job.id)).task_ids
        running.kie.finish(task_id)
        (ended,) = await running.until_final(open_job)
        assert running.showings(ended) == [1]

        await put_back(postgres)

        async def held() -> bool:
            return bool((await running.ops("resume"))["held"])

        await running.eventually(held, within=20)
        assert (await running.sendonce.get(job_id=open_job.id)).state is JobState.RUNNING
        assert not (await running.ops("status"))["healthy"]
        await resumed(running)
        (ended,) = await running.until_final(open_job)

        assert ended.state is JobState.DELIVERED
        assert running.showings(ended) == [1]
        broken = [f["check"] for f in (await running.ops("doctor"))["findings"] if not f["ok"]]
        assert broken == []
        await shown(running, "after")


async def test_fault_28_a_killed_postgres_is_no_older_one(
    postgres: PostgresServer, nats_url: str
) -> None:
    async with deployed(database_url=postgres.url, nats_url=nats_url) as running:
        for number in range(3):
            await shown(running, f"job-{number}")
            await postgres.kill()
            await postgres.start()
        await shown(running, "last")

        assert not (await running.ops("resume"))["held"]


async def test_fault_25_a_lost_jetstream_beside_a_full_postgres_is_made_again(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    async with (
        NatsServer(tmp_path / "own-nats", durability=Durability.KILL) as bus,
        deployed(database_url=postgres.url, nats_url=bus.url) as running,
    ):
        await shown(running, "before")

        await bus.kill()
        shutil.rmtree(bus.data_directory / "store")
        await bus.start()
        await migrate_bus(bus.url)

        await shown(running, "after")
        assert not (await running.ops("resume"))["held"]
