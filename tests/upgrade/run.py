"""One upgrade under load: migrate, forward, back on the new schema, forward again; then the one judge."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from deployment import eventually
from ensemble import troubles
from job_store.migrate import MET_OTHERS
from sendonce_cli.demo import errands as errands_of
from sendonce_cli.demo.options import Faults
from testkit import proof
from upgrade.replicas import NUMBERS, SERVICES, Replica
from upgrade.stage import Stage, migrated, staged
from upgrade.versions import Say, Version

PLENTY: Final = 5_000  # errands; the load ends with the last phase
WORKS_WITHIN: Final = 120.0  # seconds a phase goes on until every replica has worked in it
QUIET_WITHIN: Final = 300.0  # seconds; longer than the life of a job
HEARD_WITHIN: Final = 30.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """What happened between two turns of the run."""

    name: str
    replicas: Mapping[str, int]  # by version, at its end
    replaced: int
    seconds: float
    jobs: int  # that were asked for
    least: int  # lines about jobs of the replica that wrote the fewest


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one upgrade came to."""

    old: Version
    new: Version
    seed: int
    every: float
    phases: tuple[Phase, ...]
    verdict: proof.Verdict
    replaced: int
    untold: list[str]  # settings the old version does not know
    migrated_again: int  # times a migration gave way to running services, and was tried again
    wrong: dict[str, object]  # empty when every promise was kept


async def run(
    directory: Path,
    *,
    old: Version,
    new: Version,
    seconds: float,
    every: float,
    seed: int,
    say: Say,
) -> Told:
    """Run every phase for so many seconds, with a job asked for every so many, and judge."""
    errands = errands_of.draw(jobs=PLENTY, faults=Faults.LIGHT, seed=seed)
    async with staged(directory, errands, old=old, new=new, say=say) as stage:
        upgrade = _Upgrade(stage, old=old, new=new, every=every, seed=seed, say=say)
        async with stage.running.load_meanwhile(every=every):
            await upgrade.through(seconds)
        say("waiting until nothing is left to happen")
        return await upgrade.judged()


class _Upgrade:
    """What is done to a stage, and what is known so far."""

    def __init__(
        self, stage: Stage, *, old: Version, new: Version, every: float, seed: int, say: Say
    ) -> None:
        self.stage, self.old, self.new = stage, old, new
        self.every, self.seed, self.say = every, seed, say
        self.replicas, self.running = stage.replicas, stage.running
        self.dice = Random(f"upgrade:{seed}")
        self.phases: list[Phase] = []
        self.wrong: dict[str, object] = {}
        self.met = 0

    async def through(self, seconds: float) -> None:
        """Go forward, back and forward again."""
        old, new = self.old, self.new
        await self._lives("old schema", seconds)
        await self._migrate(new)
        await self._lives("new schema, old version", seconds)
        await self._roll(new, "forward", seconds)
        await self._migrate(old)
        await self._roll(old, "back", seconds)
        await self._doctor(old)
        await self._migrate(new)
        await self._roll(new, "forward again", seconds)

    async def judged(self) -> Told:
        """Wait until all is quiet, and let the judge of every run look at every job."""
        running = self.running
        await running.settled(within=QUIET_WITHIN)
        running.bot = self.stage.judge
        verdict = await running.verdict()
        self.wrong |= troubles(verdict) | dict(self._wrong(verdict))
        if unheard := await self._unheard(verdict):
            self.wrong["ends the old bot did not hear of once"] = unheard
        return Told(
            old=self.old,
            new=self.new,
            seed=self.seed,
            every=self.every,
            phases=tuple(self.phases),
            verdict=verdict,
            replaced=self.replicas.replaced,
            untold=self.old.unknown(self.stage.told),
            migrated_again=self.met,
            wrong=self.wrong,
        )

    def _wrong(self, verdict: proof.Verdict) -> Iterator[tuple[str, object]]:
        # Nobody is killed and nothing fails: what an outage may leave open, an upgrade must not.
        if verdict.uncertain:
            yield "uncertain", verdict.uncertain
        if verdict.expired:
            yield "expired", [each.asked.key for each in verdict.endings if each.is_expired]
        if not verdict.ledger_balanced:
            yield "ledger", "not balanced"
        if self.replicas.bad_ends:
            yield "bad ends", self.replicas.bad_ends
        if self.running.progress.refused:
            yield "refused", self.running.progress.refused

    async def _unheard(self, verdict: proof.Verdict) -> list[str]:
        ended = {one.job.id: one.asked.key for one in verdict.endings if one.job is not None}

        async def all_heard() -> bool:
            return ended.keys() <= (await self.stage.bot.heard()).keys()

        try:
            await eventually(all_heard, within=HEARD_WITHIN)
        except TimeoutError:
            self.say("the bot did not hear of every end in time")
        heard = await self.stage.bot.heard()
        return [key for job_id, key in ended.items() if heard.get(job_id) != 1]

    async def _roll(self, version: Version, way: str, seconds: float) -> None:
        """Replace the first of each service, live with both, then replace the others.

        In any order: whoever rolls a deployment out asks nobody for one.
        """
        for number in NUMBERS:
            before, began = self.replicas.replaced, time.monotonic()
            for service in self.dice.sample(SERVICES, len(SERVICES)):
                await self.replicas.replace(Replica(service, number), version)
                self.say(f"{service}-{number} is {version.name}")
            name = f"{way}: side by side" if number != NUMBERS[-1] else f"{way}: done"
            await self._lives(name, seconds, began=began, replaced=self.replicas.replaced - before)

    async def _lives(
        self, name: str, seconds: float, *, began: float | None = None, replaced: int = 0
    ) -> None:
        """Let work go on for so long, and until every replica has had its share of it."""
        asked, began = self.phases_asked, began or time.monotonic()
        before = self.replicas.worked()

        def shares() -> dict[Replica, int]:
            return {each: now - before[each] for each, now in self.replicas.worked().items()}

        async def all_work() -> bool:
            return min(shares().values()) > 0

        await asyncio.sleep(seconds)  # noqa: TID251 - the phase itself
        try:
            await eventually(all_work, within=WORKS_WITHIN)
        except TimeoutError:
            idle = [str(each) for each, share in shares().items() if not share]
            self.wrong[f"idle while {name}"] = idle
        phase = Phase(
            name=name,
            replicas=dict(self.replicas.at_work()),
            replaced=replaced,
            seconds=round(time.monotonic() - began, 1),
            jobs=self.running.progress.asked - asked,
            least=min(shares().values()),
        )
        self.phases.append(phase)
        self.say(f"{name}: {phase.jobs} jobs in {phase.seconds:.0f} s, {dict(phase.replicas)}")

    @property
    def phases_asked(self) -> int:
        """How many jobs were asked for in the phases that are over."""
        return sum(phase.jobs for phase in self.phases)

    async def _migrate(self, version: Version) -> None:
        """Have a version's own command migrate up: an older one finds nothing to do, and changes nothing."""
        self.say(f"migrate up, by {version.name}")
        said = await asyncio.to_thread(migrated, version, self.stage.told, self.stage.room)
        self.met += sum(said.count(code) for code in MET_OTHERS)

    async def _doctor(self, version: Version) -> None:
        code, said = await asyncio.to_thread(
            version.command, "doctor", told=self.stage.told, room=self.stage.room
        )
        if code:
            self.wrong[f"doctor of {version.name}"] = said
