"""`sendonce up` runs the whole system, the other commands find it, and Ctrl-C ends it in order."""

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from testkit.ports import free_port
from testkit.processes import environment, holds

COMMAND = [sys.executable, "-c", "from sendonce_cli.main import app; app()"]
UP_WITHIN = 90.0
GONE_WITHIN = 40.0

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


@asynccontextmanager
async def running(
    directory: Path, *arguments: str
) -> AsyncIterator[tuple[subprocess.Popen[bytes], dict[str, str]]]:
    """A started system, and the environment in which the other commands find it."""
    log = directory / "up.log"
    env = environment(
        {
            "SENDONCE_DATA_DIR": str(directory / "data"),
            "SENDONCE_GATEWAY_PORT": str(free_port()),
            "COLUMNS": "120",
        }
    )
    with log.open("wb") as output:
        up = subprocess.Popen([*COMMAND, "up", *arguments], env=env, stdout=output, stderr=output)
    try:
        text = await until(log, "Ctrl-C stops", up)
        (nats_url,) = set(re.findall(r"nats://\S+", text))
        yield up, {**env, "SENDONCE_NATS_URL": nats_url}
    finally:
        up.kill()
        up.wait()


async def until(log: Path, said: str, up: subprocess.Popen[bytes]) -> str:
    """Wait until it has said so, or has ended."""
    await holds(lambda: said in log.read_text("utf-8") or up.poll() is not None, within=UP_WITHIN)
    text = log.read_text("utf-8")
    assert said in text
    return text


async def ask(env: dict[str, str], *arguments: str, code: int = 0) -> str:
    """What a command prints in this environment; of one that says nothing, what it complains of."""
    done = await asyncio.to_thread(
        subprocess.run,
        [*COMMAND, *arguments],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout or done.stderr


def targets(env: dict[str, str]) -> Path:
    return Path(env["SENDONCE_DATA_DIR"]) / "prometheus-targets.json"


def metrics(env: dict[str, str]) -> dict[str, str]:
    """What a Prometheus that reads `up`'s file is answered, by service."""
    return {
        group["labels"]["service"]: urlopen(f"http://{target}/metrics", timeout=10).read().decode()
        for group in json.loads(targets(env).read_text("utf-8"))
        for target in group["targets"]
    }


def stop(up: subprocess.Popen[bytes], by: signal.Signals = signal.SIGINT) -> int:
    children = psutil.Process(up.pid).children(recursive=True)
    up.send_signal(by)
    code = up.wait(GONE_WITHIN)
    assert not [child for child in children if child.is_running()]
    return code


async def test_the_commands_find_what_up_started_and_a_service_that_dies_is_started_again(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as (up, env):
        assert json.loads(await ask(env, "status", "--json"))["healthy"] is True
        assert "laws are kept" in await ask(env, "doctor")
        assert "saved shop" in await ask(env, "bots", "add", "shop", "--currency", "XTR")
        bots = json.loads(await ask(env, "bots", "list", "--json"))["bots"]
        assert [bot["slug"] for bot in bots] == ["default", "shop"]
        await ask(env, "wallet", "topup", "5", "1250", "--reference", "payment-1")
        await ask(env, "wallet", "topup", "5", "1250", "--reference", "payment-1")
        assert "12.50 RUB free" in await ask(env, "wallet", "show", "5")
        assert "payment-1" in await ask(env, "wallet", "statement", "5")
        assert "no such jobs" in await ask(env, "jobs", "list")
        assert "no such orphans" in await ask(env, "orphans", "list")
        assert set(metrics(env)) == {
            "job-store",
            "deliverer",
            "submitter",
            "reconciler",
            "callback-gateway",
        }

        victim = service(up, "reconciler")
        victim.kill()

        text = await until(tmp_path / "up.log", "reconciler is back", up)
        assert "reconciler died (signal 9)" in text
        assert service(up, "reconciler").pid != victim.pid
        assert stop(up, signal.SIGTERM) == 0
        assert not targets(env).exists()


async def test_all_services_in_one_process_without_a_database(tmp_path: Path) -> None:
    async with running(tmp_path, "--one-process", "--storage", "json") as (up, env):
        assert "No database: one job-store" in (tmp_path / "up.log").read_text("utf-8")
        assert json.loads(await ask(env, "status", "--json"))["healthy"] is True
        await ask(env, "wallet", "topup", "5", "1250", "--reference", "payment-1")
        kept = (tmp_path / "data" / "journal").glob("commits-*.jsonl")
        assert "payment-1" in next(kept).read_text("utf-8")
        with pytest.raises(StopIteration):
            service(up, "reconciler")
        assert set(metrics(env)) == {"sendonce"}
        # It is told nowhere where the sandboxes are: `up` left that in its data directory.
        assert json.loads(await ask(env, "smoke", "--json"))["verdict"] == "ok"
        file, moved = str(tmp_path / "file"), {"SENDONCE_DATA_DIR": str(tmp_path / "moved")}
        assert "has the journal" in await ask(env, "export", file, "--storage", "json", code=1)
        checked = json.loads(await ask(env, "check", "--only", "migrations", "--json", code=2))
        found = {item["name"]: item["found"] for item in checked["phases"][0]["items"]}
        assert {name for name, what in found.items() if what == "ok"} == {
            "tables and constraints",
            "streams and durables",
        }
        assert set(found.values()) == {"ok", "warning"}

        assert stop(up) == 0
        written = json.loads(await ask(env, "export", file, "--storage", "json", "--json"))
        paid = {where: sum_ for where, sum_ in written["money"].items() if "RUB" in where}
        assert paid == {"balances RUB": 1250, "held RUB": 0, "topup RUB": 1250}
        arrived = await ask(env | moved, "import", file, "--storage", "json", "--json")
        assert json.loads(arrived) == written


def service(up: subprocess.Popen[bytes], module: str) -> psutil.Process:
    children = psutil.Process(up.pid).children(recursive=True)
    return next(child for child in children if child.cmdline()[-2:] == ["-m", module])
