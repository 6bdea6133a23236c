"""What a deployment in containers must bear; each scene returns its figures, and raises what a promise broke."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any, Final

import aiohttp

from bench.bot import deliver
from bench.scenarios.allowance import PERFORMED, used
from bench.system import chat_of
from chaos.moments import lasts
from deployment import eventually
from sendonce import SendOnce
from stack.engine import SERVERS, SERVICES, Stack
from stack.load import Broken, Figures, load, until_on
from stack.watching import is_watched

ITEMS: Final = 64  # of `sendonce check`
PHASES: Final = 9  # of `sendonce smoke`
EVERY: Final = 4.0  # seconds of load between two kills, or two upgrades
KILLED: Final = (
    "deliverer",
    "job-store",
    "callback-gateway",
    "submitter",
    "nats",
    "reconciler",
    "postgres",
)
RESULTS: Final = 450  # 900 calls, half a minute of one bot's allowance
SHOWN_WITHIN: Final = 120.0  # seconds
FAIR: Final = 0.1  # what the lesser of two replicas must have done of the work
HANDLED: Final = re.compile(
    r"^sendonce_(?:messages_handled_total|callback_answers_total)(?:\{[^}]*\})? ([\d.e+]+)$",
    re.MULTILINE,
)

Scene = Callable[[Stack], Awaitable[Figures]]


async def comes_up(stack: Stack) -> Figures:
    """From nothing, with one command."""
    began = monotonic()
    await stack.compose("up", "--detach")
    await stack.ready(*SERVERS, *SERVICES)
    return {"ready_seconds": round(monotonic() - began, 1)}


async def passes_check(stack: Stack) -> Figures:
    """Everything is shown, nothing taken on trust."""
    it = await stack.typed("check", "--json")
    told = json.loads(it.out)
    figures = {name: told[name] for name in ("passed", "warnings", "failed", "seconds")}
    if it.code or figures["passed"] != ITEMS or told["left"]:
        items = [
            item for phase in told["phases"] for item in phase["items"] if item["found"] != "ok"
        ]
        raise Broken(f"exit code {it.code}: {figures} {items} {told['left']}")
    return figures


async def passes_smoke(stack: Stack) -> Figures:
    """One generation end to end."""
    it = await stack.typed("smoke", "--json")
    told = json.loads(it.out)
    ok = sum(phase["found"] == "ok" for phase in told["phases"])
    if it.code or ok != PHASES:
        raise Broken(f"exit code {it.code}, {ok} phases: {told['phases']}")
    return {"phases": ok, "passed": told["passed"], "seconds": told["seconds"]}


async def bears_a_hostile_outside(stack: Stack) -> Figures:
    """A load with faults, and nobody kills anything."""
    async with load(stack, seed=1) as running:
        pass
    return running.verdict


async def survives_kills(stack: Stack) -> Figures:
    """Each container is killed under load and started again, as long as there is load."""
    recovered: dict[str, list[float]] = {name: [] for name in KILLED}
    async with load(stack, seed=2) as running:
        await until_on(running)
        while running.is_on:
            for service in KILLED:
                await lasts(EVERY)
                if not running.is_on:
                    break
                recovered[service].append(await stack.kill(service))
                stack.say(f"killed {service}, ready after {recovered[service][-1]} s; {running}")
    if missed := [name for name, times in recovered.items() if not times]:
        raise Broken(f"the load was over before these were killed: {missed}")
    return {
        **running.verdict,
        "kills": sum(map(len, recovered.values())),
        "recovery_seconds": recovered,
    }


async def survives_upgrade_and_roll_back(stack: Stack) -> Figures:
    """One service after the other becomes the next version under load, and then the one before again."""
    took: Figures = {}
    before = stack.version
    async with load(stack, seed=3) as running:
        await until_on(running)
        await stack.migrate(version=NEXT)
        for version in (NEXT, before):
            for service in SERVICES:
                await lasts(EVERY)
                if not running.is_on:
                    raise Broken(f"the load was over before {service} became {version}")
                took[f"{service} {version}"] = await stack.replace(service, version=version)
                stack.say(f"{service} is {await stack.image(service)}; {running}")
                if await stack.image(service) != f"sendonce/{service}:{version}":
                    raise Broken(f"{service} did not become {version}")
    return {**running.verdict, "replaced": len(took), "ready_seconds": took}


NEXT: Final = "0.1.1"


async def shares_the_work(stack: Stack) -> Figures:
    """Two replicas of every service: the same zeros, and both work."""
    await _scale(stack, replicas=2)
    before = await _handled(stack)
    async with load(stack, seed=4) as running:
        pass
    after = await _handled(stack)
    shares: dict[str, list[float]] = {}
    for service, counts in after.items():
        work = [round(now - before[service].get(one, 0)) for one, now in counts.items()]
        shares[service] = [round(one / max(sum(work), 1), 2) for one in work]
        if len(work) != 2 or min(shares[service]) < FAIR:
            raise Broken(f"{service}: its replicas handled {work}")
    return {**running.verdict, "shares": shares}


async def keeps_telegrams_pace(stack: Stack) -> Figures:
    """Two deliverers use the allowance of one bot, and never more; wants a machine that is not busy with others."""
    await _scale(stack, replicas=2)
    async with _bot(stack) as bot, aiohttp.ClientSession(stack.telegram_url) as http:
        began = (await _asked(http, "/sim"))["last_seq"]
        marks = [f"pace{began}n{number:06d}" for number in range(RESULTS)]
        async with asyncio.TaskGroup() as group:
            for mark in marks:
                group.create_task(deliver(bot, mark, chat_id=chat_of(mark)))

        async def shown() -> list[dict[str, Any]] | None:
            entries = await _log(http, after=began)
            texts = {(entry["message"] or {}).get("text") for entry in entries}
            return entries if {f"result-{mark}" for mark in marks} <= texts else None

        entries = await eventually(shown, within=SHOWN_WITHIN)
    calls = [entry["at"] for entry in entries if entry["event"] in PERFORMED]
    refused = [entry["note"] for entry in entries if entry["event"] == "failed"]
    figures = {
        "deliverers": len(await stack.containers("deliverer")),
        "calls": len(calls),
        "share": round(used(calls), 4),
        "refused": len(refused),
    }
    if refused or figures["share"] < 0.95:
        raise Broken(f"{figures} {refused[:5]}")
    return figures


async def _scale(stack: Stack, *, replicas: int) -> None:
    wanted = [part for name in SERVICES for part in ("--scale", f"{name}={replicas}")]
    await stack.compose("up", "--detach", "--no-recreate", *wanted)
    await stack.ready(*SERVICES)


async def _handled(stack: Stack) -> dict[str, dict[str, float]]:
    """Return what each container of each service has handled so far."""
    return {
        service: {
            one: sum(map(float, HANDLED.findall(await stack.metrics(one))))
            for one in await stack.containers(service)
        }
        for service in SERVICES
    }


@asynccontextmanager
async def _bot(stack: Stack) -> AsyncIterator[SendOnce]:
    """Connect as the deployment's bot does from this machine."""
    with TemporaryDirectory() as directory:
        seed = Path(directory) / "default.nk"
        seed.touch(mode=0o600)
        seed.write_text(await stack.secret("bots/default.nk"))
        async with SendOnce(stack.nats_url, bot="default", creds=seed) as bot:
            yield bot


async def _asked(http: aiohttp.ClientSession, path: str) -> dict[str, Any]:
    async with http.get(path) as answer:
        told: dict[str, Any] = await answer.json()
        return told


async def _log(http: aiohttp.ClientSession, *, after: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while page := (await _asked(http, f"/sim/log?after={after}"))["entries"]:
        found += page
        after = page[-1]["seq"]
    return found


SCENES: Final[dict[str, Scene]] = {
    "up": comes_up,
    "check": passes_check,
    "smoke": passes_smoke,
    "faults": bears_a_hostile_outside,
    "kills": survives_kills,
    "upgrade": survives_upgrade_and_roll_back,
    "replicas": shares_the_work,
    "pace": keeps_telegrams_pace,
    "watched": is_watched,
}
