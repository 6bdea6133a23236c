"""NATS' users can do all they need and nothing else, and need all they can do."""

from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio

from contracts.permissions import KEY, Right, bot_user, permissions
from deployment import eventually
from job_store.migrate import migrate_bus, migrate_database
from privilege.ground import BOTS, EVERYBODY, Ground, ground
from privilege.playing import Played, breaks, play
from privilege.scenes import SCENES
from privilege.subjects import Deed, covers, needed
from sendonce import SendOnce, Unavailable
from sendonce_cli.asking import connect
from testkit.servers.databases import TemplateDatabases

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]
module = pytest_asyncio.fixture(scope="module", loop_scope="module")

# What nobody but an administrator of NATS may do, beside what others may.
NOBODYS = (
    (Right.PUBLISH, "anything"),
    (Right.PUBLISH, "$JS.API.INFO"),
    (Right.PUBLISH, "$JS.API.STREAM.LIST"),
    (Right.PUBLISH, "$JS.API.STREAM.DELETE.REPORTS"),
    (Right.PUBLISH, "$JS.API.STREAM.CREATE.OTHER"),
    (Right.PUBLISH, "$JS.API.STREAM.MSG.DELETE.REPORTS"),
    (Right.PUBLISH, "$JS.API.STREAM.SNAPSHOT.REPORTS"),
    (Right.PUBLISH, "$JS.API.DIRECT.GET.JOBS.jobs.created.shop"),
    (Right.PUBLISH, "$JS.API.CONSUMER.CREATE.JOBS"),
    (Right.PUBLISH, "$JS.API.CONSUMER.DELETE.DELIVERIES.deliverer"),
    (Right.PUBLISH, "$SYS.REQ.SERVER.PING"),
    (Right.SUBSCRIBE, ">"),
    (Right.SUBSCRIBE, "*.>"),
    (Right.SUBSCRIBE, "$JS.>"),
    (Right.SUBSCRIBE, "$SYS.>"),
    (Right.SUBSCRIBE, "_INBOX.>"),
    (Right.SUBSCRIBE, "jobs.>"),
    (Right.SUBSCRIBE, "jobs.*.*"),
    (Right.SUBSCRIBE, "orphans.*"),
    (Right.SUBSCRIBE, "api.>"),
    (Right.SUBSCRIBE, "reports.received"),
)
# Of each kind one; `make privilege` takes away every one.
SAMPLE = (
    ("callback-gateway", "$JS.API.STREAM.INFO.REPORTS"),
    ("job-store", "$JS.API.CONSUMER.CREATE.POLLS.reconciler.polls.requested"),
    ("job-store", "$JS.ACK.OUTCOMES.job-store-deliveries.>"),
    ("job-store", ""),
    ("migrate", "$JS.API.STREAM.UPDATE.JOBS"),
    ("observer", "ops.audit.list"),
)


@module
async def on(
    tmp_path_factory: pytest.TempPathFactory, template_databases: TemplateDatabases
) -> AsyncIterator[Ground]:
    async def migrate(url: str) -> None:
        await migrate_database(url)

    async with (
        template_databases.clone(migrate) as url,
        ground(tmp_path_factory.mktemp("privilege"), database_url=url) as made,
    ):
        await migrate_bus(made.nats.url, creds=made.creds("migrate"))
        yield made


@module
async def played(on: Ground) -> Mapping[str, Played]:
    """Every scene, with all rights of the table."""
    return {scene.__name__: await play(scene, on) for scene in SCENES}


@pytest.mark.parametrize("scene", [scene.__name__ for scene in SCENES])
async def test_all_they_need_works(on: Ground, played: Mapping[str, Played], scene: str) -> None:
    found = played[scene]

    assert {(on.user_of(deed.key), deed.subject) for deed in found.refused} == set()
    if found.problem is not None:
        raise found.problem


@pytest.mark.parametrize("user", EVERYBODY)
async def test_every_right_is_needed(on: Ground, played: Mapping[str, Played], user: str) -> None:
    """Something was done in a scene that no other right of the user is for."""
    problems = [one.problem for one in played.values() if one.problem is not None]
    if problems:
        raise ExceptionGroup("scenes that did not come to their end", problems)
    deeds = set[Deed]().union(*(one.done for one in played.values()))
    rows = permissions(user)

    found = needed(rows, (deed for deed in deeds if deed.key in on.keys.public(user)))

    assert [row.subject for row in rows if row not in found] == []


@pytest.mark.parametrize("user", EVERYBODY)
async def test_everything_else_is_refused(on: Ground, user: str) -> None:
    (key,) = on.keys.public(user)
    allowed = [(row.right, row.subject.replace(KEY, key)) for row in permissions(user)]
    others = {
        Deed(key, right, subject)
        for right, subject in (*NOBODYS, *examples())
        if not any(right is own and covers(pattern, subject) for own, pattern in allowed)
    }
    client = await connect(on.nats.url, creds=on.creds(user))
    since = on.mark()

    for deed in others:
        if deed.right is Right.PUBLISH:
            await client.publish(deed.subject, b"x")
        else:
            await client.subscribe(deed.subject)

    async def all_are_refused() -> bool:
        return on.refused(since) == others

    assert len(others) > len(NOBODYS)
    # Asked of the log, because nats-py's flush may overtake what it should push.
    await eventually(all_are_refused, within=10)
    await client.close()


def examples() -> set[tuple[Right, str]]:
    """Return something that each right of each user is for, and to all that hear anything to hear it all."""
    found = set()
    for user in (*EVERYBODY, bot_user("third")):
        for row in permissions(user):
            if row.right is Right.SUBSCRIBE:
                found.add((row.right, row.subject.replace(KEY, "UOTHER")))
            if row.right is Right.PUBLISH:
                found.add((row.right, row.subject.replace("*", "third").replace(">", "1.2")))
    return found


async def test_a_bot_cannot_speak_or_listen_as_another(on: Ground) -> None:
    own, other = BOTS
    since = on.mark()
    async with SendOnce(on.nats.url, bot=other, creds=on.creds(bot_user(own))) as pretender:
        with pytest.raises(Unavailable, match="permissions violation"):
            await pretender.topup(7, currency="RUB", amount=1, reference="r", timeout=1)

    refused = {deed.subject for deed in on.refused(since)}
    assert f"jobs.*.{other}" in refused
    assert f"api.{other}.wallets.topup" in refused or any("_INBOX_" in one for one in refused)


@pytest.mark.parametrize("user,subject", SAMPLE)
async def test_without_a_right_its_scene_fails(
    on: Ground, played: Mapping[str, Played], user: str, subject: str
) -> None:
    (row,) = [one for one in permissions(user) if one.subject == subject]

    assert await breaks(row, on, played) is not None
