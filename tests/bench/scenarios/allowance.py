"""How much of Telegram's allowance is used, and what one chat's backlog costs the others."""

import asyncio
import re
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from bench.bot import deliver
from bench.figures import Figure, Target, at_least, at_most, percentile
from bench.play import Double, TooSlow
from bench.run import Run
from bench.system import TOKENS, System, Wish, chat_of, system
from sendonce_cli.settings import DELIVERER

SCENARIO: Final = "allowance"
ALLOWED: Final = 30.0  # calls a second and bot, as the sandbox counts them
PERFORMED: Final = frozenset({"sent", "edited", "deleted"})
SECOND_BOT: Final = int(TOKENS["second"].partition(":")[0])
BACKLOGGED: Final = 999  # the chat that waits
LEAD_IN, LEAD_OUT = 3.0, 1.0  # seconds of a burst and of its last stragglers, left out
WITHIN: Final = 90.0
LOOK_EVERY: Final = 0.1  # seconds
TOO_FAST: Final = re.compile(
    r'^sendonce_telegram_calls_total\{answer="wait"[^}]*\} ([\d.e+]+)$', re.MULTILINE
)
MARK: Final = re.compile(r"result-([0-9a-z]+)")


@dataclass(frozen=True, slots=True)
class Commit:
    """One call the sandbox performed."""

    at: float  # wall clock, seconds
    mark: str | None  # of the result it showed, if it did
    bot_id: int


async def allowance(run: Run) -> list[Figure]:
    """With one deliverer, then with two that know nothing of each other; a quick run has time for two."""
    figures: list[Figure] = []
    for deliverers in run.either(quick=(2,), full=(1, 2)):
        place = run.workplace(f"{SCENARIO}-{deliverers}")
        telegram = Double("testkit.telegram", logs=place / "logs", ready="/sim")
        wish = Wish(telegram_url=telegram.url, paced=True, deliverers=deliverers)
        async with telegram.process, system(run.ground, wish, workplace=place) as running:
            measured = _Measured(run, running, telegram, deliverers)
            if not figures:
                figures += await measured.backlog()
            figures += await measured.sustained()
    return figures


class _Measured:
    """One deployment on a sandbox with limits."""

    def __init__(self, run: Run, running: System, telegram: Double, deliverers: int) -> None:
        self._run = run
        self._running = running
        self._telegram = telegram
        self._seen: list[Commit] = []
        self._read = 0
        self._who = f"{deliverers} deliverer{'s' if deliverers > 1 else ''}"

    async def backlog(self) -> list[Figure]:
        """Results for other chats, first with nobody waiting, then beside a chat that waits."""
        bot, run = self._running.bots["default"], self._run
        run.say(f"{SCENARIO}: one chat's backlog")
        probes = run.either(quick=3, full=8)
        await self._probe(run.marks(1))
        alone = await self._probe(run.marks(probes))
        waiting = run.marks(30)
        await asyncio.gather(*(deliver(bot, mark, chat_id=BACKLOGGED) for mark in waiting))
        beside = await self._probe(run.marks(probes))
        shown = {commit.mark for commit in await self._commits()}
        still = sum(mark not in shown for mark in waiting)
        note = f"{still} results of another chat waiting"
        return [
            self._figure("create to chat, nobody waiting", percentile(alone, 0.5), "ms"),
            self._figure(
                "create to chat beside a backlog", percentile(beside, 0.5), "ms", note=note
            ),
        ]

    async def _probe(self, marks: Sequence[str]) -> list[float]:
        """Milliseconds from asking to chat, one after the other."""
        waits = []
        for mark in marks:
            asked = time.time()
            await deliver(self._running.bots["default"], mark, chat_id=chat_of(mark))
            commits = await self._until_shown([mark])
            waits.append((next(c.at for c in commits if c.mark == mark) - asked) * 1_000)
        return waits

    async def sustained(self) -> list[Figure]:
        """A burst of results for many chats, as long as it lasts."""
        run, bot = self._run, self._running.bots["second"]
        run.say(f"{SCENARIO}: {self._who}")
        marks = run.marks(run.either(quick=120, full=300))
        async with asyncio.TaskGroup() as group:
            for mark in marks:
                group.create_task(deliver(bot, mark, chat_id=chat_of(mark)))
        commits = await self._until_shown(marks)
        of_bot = [commit.at for commit in commits if commit.bot_id == SECOND_BOT]
        return [
            self._figure("calls used of those allowed", used(of_bot) * 100, "%", at_least(95)),
            self._figure("calls refused with 429", await self._refused(), "", at_most(0)),
        ]

    async def _until_shown(self, marks: Collection[str]) -> list[Commit]:
        deadline = time.monotonic() + WITHIN
        while True:
            commits = await self._commits()
            missing = set(marks) - {commit.mark for commit in commits}
            if not missing:
                return commits
            if time.monotonic() > deadline:
                raise TooSlow(f"{len(missing)} of {len(marks)} results not shown")
            await asyncio.sleep(LOOK_EVERY)  # noqa: TID251 - the rate of looking

    async def _commits(self) -> list[Commit]:
        """Everything the sandbox performed so far; what was read before is not read again."""
        while True:
            page = await self._telegram.asked(f"/sim/log?after={self._read}")
            entries = page["entries"] if isinstance(page, dict) else []
            self._seen += [_commit(entry) for entry in entries if entry["event"] in PERFORMED]
            if not entries:
                return self._seen
            self._read = entries[-1]["seq"]

    async def _refused(self) -> float:
        """How often Telegram told our deliverers to wait."""
        total = 0.0
        async with aiohttp.ClientSession() as client:
            for name, plan in self._running.plans.items():
                if name.startswith(DELIVERER):
                    async with client.get(f"{plan.health_url}/metrics") as answer:
                        total += sum(map(float, TOO_FAST.findall(await answer.text())))
        return total

    def _figure(
        self, name: str, value: float, unit: str, target: Target | None = None, note: str = ""
    ) -> Figure:
        return Figure(
            scenario=SCENARIO,
            name=f"{name}, {self._who}",
            unit=unit,
            value=value,
            target=target,
            note=note,
        )


def used(calls: Collection[float]) -> float:
    """The share of the allowance that a long row of calls used, its ends left out."""
    began, ended = min(calls) + LEAD_IN, max(calls) - LEAD_OUT
    inside = sum(began <= at < ended for at in calls)
    return inside / (ended - began) / ALLOWED


def _commit(entry: dict[str, Any]) -> Commit:
    message = entry["message"] or {}
    found = MARK.search(message.get("text") or "")
    return Commit(entry["at"], found[1] if found else None, entry["bot_id"])
