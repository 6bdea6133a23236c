"""Each secret is replaced under a job that is in flight, as docs/security.md says: the job is shown, once."""

import secrets
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from contracts.api import JobView
from contracts.permissions import bot_user
from deployment import TOKEN
from job_store.migrate import migrate_database as migrate
from kie.signatures import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from rotating import NEXT_KIE_KEY, World, world
from sendonce_cli.keeping import callback_key
from testkit.servers.databases import TemplateDatabases

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="session"),
]

NEXT_TOKEN = TOKEN[:-4] + "next"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running(
    template_databases: TemplateDatabases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    async with (
        template_databases.clone(migrate) as owner_url,
        world(tmp_path_factory.mktemp("rotation"), owner_url=owner_url) as made,
    ):
        yield made


async def test_callback_keys(running: World) -> None:
    """First all gateways take the new one, then job-store signs with it, then the old one goes."""
    old, new = running.read("callback_gateway", "callback_keys"), callback_key("k2")
    before = await running.in_flight("signed-with-the-old")

    running.put("callback_gateway", "callback_keys", f"{old},{new}")
    await running.roll("callback_gateway")
    running.put("job_store", "callback_keys", f"{new},{old}")
    await running.roll("job_store")
    after = await running.in_flight("signed-with-the-new")
    await running.lands(before)
    await running.lands(after)
    running.put("callback_gateway", "callback_keys", new)
    await running.roll("callback_gateway")

    believed = []
    for job, key in ((before, "k1."), (after, "k2.")):
        task_id = running.task_of(job)
        url = running.kie.task(task_id).callback_url or ""
        assert url.startswith(f"{running.door}/{key}")
        believed.append(await running.calls_back(url, task_id))
    assert believed == ["untrusted absent", "trusted absent"]


async def test_hmac_keys_of_kie(running: World) -> None:
    """While an account stands twice either key is taken; then the old one is refused."""
    job = await running.in_flight("hmac")
    old, new = "default:the-first-hmac-key", "default:the-next-hmac-key"

    taken = []
    for keys in (f"{old},{new}", new):
        running.put("callback_gateway", "kie_hmac_keys", keys)
        await running.roll("callback_gateway")
        taken += [await signed(running, job, key.partition(":")[2]) for key in (old, new)]

    assert [str(one).rpartition(" ")[2] for one in taken] == ["match", "match", "401", "match"]
    running.finish(job)
    await running.is_shown_once(job)


async def signed(running: World, job: JobView, key: str) -> int | str:
    now, task_id = int(time.time()), running.task_of(job)
    signature = sign(key=key.encode(), task_id=task_id, timestamp=now)
    headers = {TIMESTAMP_HEADER: str(now), SIGNATURE_HEADER: signature}
    return await running.calls_back(running.door, task_id, headers)


async def test_the_key_of_kie(running: World) -> None:
    before = await running.in_flight("made-with-the-old-key")

    for name in ("submitter", "reconciler"):
        running.put(name, "kie_api_key", NEXT_KIE_KEY)
    await running.roll("submitter", "reconciler")
    after = await running.in_flight("made-with-the-new-key")

    await running.lands(before)
    await running.lands(after)
    accounts = [running.kie.task(running.task_of(job)).account for job in (before, after)]
    assert accounts == ["account-1", "account-2"]


async def test_the_token_of_a_bot(running: World) -> None:
    """It is over at Telegram before the new one is known: what comes due meanwhile waits, and is done once."""
    job = await running.in_flight("token")
    running.telegram.renew_token(TOKEN, NEXT_TOKEN)
    running.finish(job)
    refused = "SELECT key FROM sendonce.pacing WHERE needs_owner IS NOT NULL"
    await running.eventually(refused)

    for name in ("job_store", "deliverer"):
        running.put(name, "bot_token", NEXT_TOKEN)
    await running.roll("deliverer")
    await running.command("deliveries", "resume", "default", "--why", "a new token")

    await running.is_shown_once(job)


async def test_the_password_of_the_database(running: World) -> None:
    """Nothing is restarted: whoever connects next reads the file again."""
    job = await running.in_flight("password")
    pids, password = running.pids(), secrets.token_urlsafe(16)

    await running.in_database(f"ALTER ROLE {running.login} PASSWORD '{password}'")
    cut = "SELECT count(pg_terminate_backend(pid))::text FROM pg_stat_activity WHERE usename = $1"
    assert int(await running.in_database(cut, running.login) or 0) >= 2
    running.finish(job)
    running.put("job_store", "database_url", running.address(password))

    await running.is_shown_once(job)
    assert running.pids() == pids
    assert await running.in_database("SELECT max(id)::text FROM sendonce.dead_letters") is None


async def test_the_key_of_a_user_of_nats(running: World) -> None:
    """Nothing is restarted: `--renew`, reload, the new seed in its place, `--drop-old`, reload."""
    job = await running.in_flight("nats")
    pids, users = running.pids(), ("job-store", "submitter", "deliverer", "callback-gateway")
    renewed = [word for user in (*users, bot_user("default")) for word in ("--renew", user)]
    directory = str(running.keys.directory)

    await running.nats.reconfigure(await running.command("access", "nats", directory, *renewed))
    await running.nats.reconfigure(await running.command("access", "nats", directory, "--drop-old"))

    await running.lands(job)
    await running.lands(await running.in_flight("nats-afterwards"))
    assert running.pids() == pids
