"""Check and smoke pass on what runs well, and cannot pass on a broken build; `make sabotage` runs every build."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from contracts.ops import AskDoctor, AskStatus, DoctorView, StatusView
from deployment import COMMAND
from job_store.migrate import migrate_database
from sabotage.builds import BUILDS, TRIED, Build
from sabotage.ground import Ground, failing, ground, judged
from sabotage.nursery import nursery_of_saboteurs
from sendonce_cli.asking import desk_at
from sendonce_cli.check.phases import PHASES as CHECKS
from sendonce_cli.probes.chats import FIRST_CHAT
from sendonce_cli.smoke.phases import PHASES as SMOKES
from testkit.processes import environment
from testkit.servers.databases import TemplateDatabases
from testkit.servers.sources import ServerSources

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.e2e,
    pytest.mark.timeout(180),
]


async def migrate(url: str) -> None:
    await migrate_database(url)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(
    template_databases: TemplateDatabases,
    server_sources: ServerSources,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Ground]:
    directory = tmp_path_factory.mktemp("ground")
    async with (
        template_databases.clone(migrate) as database_url,
        server_sources.empty_nats(tmp_path_factory.mktemp("nats")) as nats,
        nursery_of_saboteurs(directory) as nursery,
        ground(
            nats_url=nats.url, database_url=database_url, directory=directory, nursery=nursery
        ) as running,
    ):
        yield running


async def typed(made: Ground, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Type a command, into a pipe of 80 columns."""
    env = environment({"SENDONCE_NATS_URL": made.nats_url, "COLUMNS": "80"})
    return await asyncio.to_thread(
        subprocess.run,
        [*COMMAND, *arguments],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


async def test_check_passes_tells_a_program_and_tidies_up(made: Ground):
    ran = await typed(made, "check", "--json", *made.options(smoke=False))

    assert ran.returncode == 0, ran.stdout
    (line,) = ran.stdout.splitlines()
    told = json.loads(line)
    items = [item for phase in told["phases"] for item in phase["items"]]
    assert (told["verdict"], told["exit_code"], told["left"]) == ("ok", 0, [])
    assert (told["passed"], told["warnings"], told["failed"]) == (len(items), 0, 0)
    assert [phase["name"] for phase in told["phases"]] == [phase.name for phase in CHECKS]
    assert {"name", "found", "expected", "seen", "todo", "seconds"} == set(items[0])
    assert [item["name"] for item in items] == [
        probe.name for phase in CHECKS for probe in phase.probes
    ]
    assert ran.stderr.splitlines()[-1] == "7 balance: 8 of 8"
    async with desk_at(made.nats_url) as desk:
        status = await desk.ops("status", AskStatus, StatusView)
        doctor = await desk.ops("doctor", AskDoctor, DoctorView)
    assert status.healthy, status.verdict
    assert (status.orphans_waiting, {bot.open_jobs for bot in status.bots}) == (0, {0})
    assert [one.check for one in doctor.findings if not one.ok] == []
    chats = [chat for chat in made.telegram.chat_ids() if chat >= FIRST_CHAT]
    assert len(chats) > 10
    assert [chat for chat in chats if made.telegram.visible(chat)] == []


async def test_smoke_passes_in_nine_rows(made: Ground):
    ran = await typed(made, "smoke", *made.options(smoke=True))

    assert ran.returncode == 0, ran.stdout
    assert "\x1b" not in ran.stdout
    rows = [line.split() for line in ran.stdout.splitlines() if line.strip()[:1].isdigit()]
    assert [row[:2] for row in rows] == [[str(phase.number), f"{phase.name}:"] for phase in SMOKES]
    assert all(len(line) <= 80 for line in ran.stdout.splitlines())
    assert "all well" in ran.stdout.splitlines()[-1]


async def test_smoke_passes_again_while_its_chat_waits_for_its_turn(made: Ground):
    """A status line comes when its chat may be written to again, later than a quick task ends."""
    for _ in range(2):
        assert failing(await made.smoke()) == {}


async def test_what_cannot_be_shown_is_a_warning(made: Ground):
    verdict = await made.check("delivery", "migrations", in_chats=False)

    assert (verdict.exit_code, verdict.left) == (2, ())
    assert [phase.found for phase in verdict.phases] == ["warning", "ok"]
    assert {item.todo for item in verdict.phases[0].items} == {
        "name one with --chat ID (and --token-ref for a bot of its own)"
    }


@pytest.mark.parametrize(
    "build", [one for one in BUILDS if one.name in TRIED], ids=lambda build: build.name
)
async def test_defect_29_a_sabotaged_build_is_red_for_the_right_reason(made: Ground, build: Build):
    async with made.sabotaged(build):
        phases = () if build.is_alone else (build.phase,)
        verdict = await made.check(*phases)

    assert judged(build, verdict, None) == []
    assert verdict.exit_code == 1
