"""What probes find, how it is told, and what `check` and `smoke` refuse before they ask anybody."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path

import aiohttp
import pytest
from rich.console import Console
from typer.testing import CliRunner

from kie.reading import State, read_callback
from sendonce import Unavailable
from sendonce_cli.check.phases import PHASES as CHECKS
from sendonce_cli.commands.examining import surroundings
from sendonce_cli.main import app
from sendonce_cli.probes import speech
from sendonce_cli.probes.chats import RealChat, SandboxChats
from sendonce_cli.probes.files import TYPES, file_of
from sendonce_cli.probes.items import Found, Item, Phase, PhaseFound, Probe, Unmet, Unshown, Verdict
from sendonce_cli.probes.live import Progress
from sendonce_cli.probes.running import found_by, run_phases
from sendonce_cli.screen import THEME
from sendonce_cli.screens.probes import verdict_screen
from sendonce_cli.smoke.phases import PHASES as SMOKES
from sendonce_cli.stack.surroundings import Surroundings, found, told
from sendonce_cli.trouble import Trouble
from testkit.telegram import FakeTelegram

ORDINARY, WIDE = 80, 200
FOREIGN = "task [/bold] \x1b[31m of [hidden]"


def item(outcome: Found, name: str = "one", seen: str = "seen", todo: str = "do it") -> Item:
    is_ok = outcome is Found.OK
    return Item(
        name=name,
        found=outcome,
        expected="expected",
        seen="" if is_ok else seen,
        todo="" if is_ok else todo,
        seconds=0.25,
    )


def verdict(*items: Item, left: tuple[str, ...] = ()) -> Verdict:
    phase = PhaseFound(number=3, name="callbacks", title="callbacks: all of them", items=items)
    return Verdict(phases=(phase,), left=left, seconds=1.0)


def drawn(told: Verdict, *, width: int = ORDINARY, every: bool = False) -> list[str]:
    console = Console(file=io.StringIO(), width=width, theme=THEME, highlight=False)
    console.print(verdict_screen(told, what="sendonce check", every=every))
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines() if line.strip()]


@pytest.mark.parametrize(
    "outcomes, left, code",
    [
        ((Found.OK, Found.OK), (), 0),
        ((Found.OK, Found.WARNING), (), 2),
        ((Found.WARNING, Found.FAILED, Found.OK), (), 1),
        ((Found.OK,), ("job 7F3K2: refused",), 2),
        ((Found.FAILED,), ("job 7F3K2: refused",), 1),
    ],
)
def test_the_worst_decides_the_exit_code(
    outcomes: tuple[Found, ...], left: tuple[str, ...], code: int
) -> None:
    made = verdict(*map(item, outcomes), left=left)

    assert made.exit_code == made.as_json()["exit_code"] == code
    assert json.loads(json.dumps(made.as_json()))["phases"][0]["items"][0]["found"] == outcomes[0]


async def fails_by(problem: BaseException) -> None:
    raise problem


async def hangs() -> None:
    await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize(
    "look, outcome, seen, todo",
    [
        (lambda: asyncio.sleep(0), Found.OK, "", ""),  # noqa: TID251 - does nothing
        (lambda: fails_by(Unmet("two jobs")), Found.FAILED, "two jobs", "look"),
        (lambda: fails_by(Unshown("no chat", todo="name one")), Found.WARNING, "no chat", "name one"),
        (lambda: fails_by(Unavailable("no answer", "ask")), Found.FAILED, "no answer", "look"),
        (lambda: fails_by(Trouble("job-store is away")), Found.FAILED, "job-store is away", "look"),
        (lambda: fails_by(aiohttp.ClientError("reset")), Found.FAILED, "reset", "look"),
        (hangs, Found.FAILED, "no end of it", "look"),
    ],
)  # fmt: skip
async def test_whatever_a_probe_meets_becomes_an_item(
    look: Callable[[], Awaitable[None]], outcome: Found, seen: str, todo: str
) -> None:
    async def looked(_lab: None) -> None:
        await look()

    probe = Probe(name="one", expects="all well", todo="look", look=looked)

    made = await found_by(probe, None, within=0.2)

    assert (made.found, made.todo) == (outcome, todo)
    assert seen in made.seen
    assert bool(made.seen) is bool(seen)


async def test_a_mistake_of_ours_is_no_finding() -> None:
    probe = Probe(
        name="one", expects="", todo="", look=lambda _lab: fails_by(KeyError("a bug of the check"))
    )

    with pytest.raises(KeyError):
        await found_by(probe, None, within=1)


async def test_a_phase_that_is_over_is_a_line_where_nothing_can_be_redrawn() -> None:
    phase = Phase[None](number=1, name="storage", title="storage", todo="look")
    phase.probe("first", expects="")(lambda _lab: fails_by(Unmet("no")))
    phase.probe("second", expects="")(lambda _lab: asyncio.sleep(0))  # noqa: TID251 - does nothing
    console = Console(file=io.StringIO(), width=ORDINARY)

    with Progress(console, total=2) as progress:
        (made,) = await run_phases([phase], None, within=1, watcher=progress)

    assert [one.found for one in made.items] == [Found.FAILED, Found.OK]
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == "1 storage: 1 of 2\n"


@pytest.mark.parametrize("width", [ORDINARY, WIDE])
def test_what_failed_is_told_in_full_and_shown_as_it_is(width: int) -> None:
    rows = drawn(verdict(item(Found.OK), item(Found.FAILED, "ids", FOREIGN, "[TAG]")), width=width)

    assert all(len(row) <= width for row in rows)
    assert "1/2" in rows[2]
    assert "failed  3 callbacks · ids" in rows
    told_in_full = [row.split(maxsplit=1) for row in rows[-4:-1]]
    assert told_in_full == [
        ["expected", "expected"],
        ["seen", FOREIGN.replace("\x1b", "\\x1b")],
        ["to", "do [TAG]"],
    ]
    assert rows[-1] == "sendonce check: 1 failed, 1 of 2 passed in 1 s."


def test_what_cannot_be_shown_for_one_reason_is_told_once() -> None:
    unshown = [item(Found.WARNING, name) for name in ("image", "video", "text")]
    rows = drawn(verdict(item(Found.OK), *unshown))

    assert "warning 3 callbacks · image, video, text" in rows
    assert "warning 3 callbacks · all of it" in drawn(verdict(*unshown))
    assert len([row for row in rows if row.strip().startswith("seen")]) == 1
    assert rows[-1] == "sendonce check: nothing failed, 1 of 4 could be shown, in 1 s."


def test_every_item_is_a_row_when_asked_for() -> None:
    rows = drawn(verdict(item(Found.OK, "first"), item(Found.OK, "second")), every=True)

    assert [row.split()[0] for row in rows[3:5]] == ["first", "second"]
    assert rows[-1] == "sendonce check: all well, 2 of 2 in 1 s."


def test_what_is_left_behind_is_said() -> None:
    rows = drawn(verdict(item(Found.OK), left=("job 7F3K2: too late",)))

    assert rows[-3:-1] == ["warning could not be tidied up", " " * 11 + "job 7F3K2: too late"]


def test_the_phases_are_numbered_and_no_two_items_have_one_name() -> None:
    for phases in (CHECKS, SMOKES):
        assert [phase.number for phase in phases] == list(range(1, len(phases) + 1))
        names = [(phase.name, probe.name) for phase in phases for probe in phase.probes]
        assert len(set(names)) == len(names)
        assert all(probe.expects and probe.todo for phase in phases for probe in phase.probes)
    assert (len(CHECKS), len(SMOKES)) == (7, 9)


@pytest.mark.parametrize("family", [name for group in speech.GROUPS.values() for name in group])
def test_what_is_spoken_is_what_the_reader_reads(family: str) -> None:
    task_id = "00ff" * 8

    done = read_callback(json.dumps(speech.done(family, task_id).body).encode())
    failed = read_callback(json.dumps(speech.failed(family, task_id).body).encode())

    assert (done.state, done.task_id, failed.state) == (State.SUCCEEDED, task_id, State.FAILED)
    assert set(speech.done(family, task_id).links) <= {media.url for media in done.media}
    assert failed.error_message == speech.FAILURE


@pytest.mark.parametrize("suffix", list(TYPES))
def test_no_two_files_are_alike(suffix: str) -> None:
    assert file_of(suffix, mark="one") != file_of(suffix, mark="two")
    assert file_of(suffix, mark="one") == file_of(suffix, mark="one")


async def test_a_real_chat_shows_what_has_a_public_address() -> None:
    chat = RealChat(-100, ("https://files.example/a.PNG?x=1",))

    assert await chat.link("png", mark="m") == ("https://files.example/a.PNG?x=1", "")
    with pytest.raises(Unshown, match=r"\.mp4"):
        await chat.link("mp4", mark="m")


async def test_a_file_is_found_where_the_deployment_finds_its_telegram() -> None:
    async with FakeTelegram() as telegram, aiohttp.ClientSession() as http:
        url, content = await SandboxChats(http, telegram.url + "/").link("gif", mark="m")
        async with http.get(url) as answer:
            found = sha256(await answer.read()).hexdigest(), answer.content_type
        async with http.get(f"{telegram.url}/sim/files/other.gif") as answer:
            missing = answer.status

    assert url == f"{telegram.url}/sim/files/m.gif"
    assert found == (content, "image/gif")
    assert missing == 404


def test_the_environment_names_sandboxes_before_those_of_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SENDONCE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SENDONCE_TELEGRAM_SANDBOX", "http://telegram:8081")
    of_up = Surroundings(
        nats_url="nats://127.0.0.1:9", kie_url="http://kie:1", telegram_url="http://telegram:1"
    )

    nobody_here = surroundings()
    with told(tmp_path, of_up):
        here = surroundings()

    assert (nobody_here.kie_url, nobody_here.telegram_url) == (None, "http://telegram:8081")
    assert (here.kie_url, here.telegram_url) == ("http://kie:1", "http://telegram:8081")


def test_the_surroundings_of_another_system_are_not_taken_for_ours(tmp_path: Path) -> None:
    around = Surroundings(
        nats_url="nats://ann:hush@127.0.0.1:4222",
        gateway_url="http://127.0.0.1:8080",
        kie_url="http://127.0.0.1:8082",
    )

    data = tmp_path / "data"
    with told(data, around):
        ours = found(data, nats_url=around.nats_url)
        assert found(data, nats_url="nats://127.0.0.1:4223") is None
        assert "hush" not in "".join(path.read_text("utf-8") for path in data.iterdir())

    assert ours is not None
    assert (ours.gateway_url, ours.kie_url, ours.telegram_url) == (
        "http://127.0.0.1:8080",
        "http://127.0.0.1:8082",
        None,
    )
    assert found(data, nats_url=around.nats_url) is None


@pytest.mark.parametrize(
    "arguments, code, said",
    [
        (["check", "--only", "money"], 2, "error: --only money: no such phase"),
        (["check"], 1, "error: nothing answers at nats://127.0.0.1:9"),
        (["smoke"], 1, "error: this deployment's KIE and Telegram are not known to be sandboxes"),
        (["trial"], 1, "error: this deployment's KIE and Telegram are not known to be sandboxes"),
        (["trial", "--kie-sandbox", "http://127.0.0.1:9"], 1, "error: this deployment's KIE"),
        (["smoke", "--real"], 2, "error: --real needs a model and a chat"),
        (["smoke", "--real", "--model", "m", "--chat", "5", "--yes", "--input", "[]"], 2,
         "error: --input is not a JSON object"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(
    runner: CliRunner, arguments: list[str], code: int, said: str
) -> None:
    result = runner.invoke(app, arguments)

    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert " hint: " in result.stderr


def test_what_costs_money_says_so_and_waits_for_a_yes(runner: CliRunner) -> None:
    result = runner.invoke(
        app, ["smoke", "--real", "--model", "google/nano-banana", "--chat", "5"], input="n\n"
    )

    assert result.exit_code == 130
    assert "This costs money: one task of google/nano-banana" in result.stderr
    assert "nothing answers" not in result.stderr
