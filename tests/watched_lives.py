"""Some lives through five processes that log JSON and send traces: what they wrote, sent and counted."""

import asyncio
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

import suffering
from chassis.nkey import new_seed
from contracts.api import JobView
from contracts.values import JobState
from deployment import HMAC_KEY, KEY, TOKEN, eventually
from ensemble import SERVICES, Ensemble, ensemble
from job_store.migrate import migrate_bus
from nursery import nursery
from sendonce import SendOnce
from testkit.collector import Collector
from testkit.processes.nursery import Nursery

PROMPT: Final = "a secret lake at dawn"
CHATS: Final = {
    "normal": 11,
    "orphan": 12,
    "retry": 13,
    "500": 14,
    "away": 15,
    "hangs": 16,
    "back": 17,
}
TROUBLES: Final = ("500", "away", "hangs")
WITHIN: Final = 30.0  # seconds for one life
DELIVERED: Final = "send jobs.delivered.default"  # the last span of a life
USER: Final = 7
PRICE: Final = 300
SETTINGS: Final = {
    "LOG_FORMAT": "json",
    "LOG_LEVEL": "debug",
    "POLL_AFTER_SECONDS": "60",
    "TRACE_RATIO": "1",
}
_SAMPLE: Final = re.compile(r"^sendonce_(\w+?)(?:\{(.*)\})? ([0-9.e+]+)$", re.MULTILINE)

Line = dict[str, Any]
Counts = Mapping[str, float]  # by name and labels, as they stand in the exposition


@dataclass(frozen=True, kw_only=True)
class Lives:
    """Everything that is left of them."""

    jobs: dict[str, JobView]
    collector: Collector
    lines: dict[str, list[Line]]  # by service, as they were written
    logs: str  # all of it
    counts: dict[str, Counts]  # by service, when all was quiet
    readable: dict[str, str]  # by place, all that people and their tools can read besides
    secrets: dict[str, str]  # by what they are
    lost_spans: dict[str, float]  # of the job-store, failed or dropped, by the trouble they met
    stopped_in: float  # seconds until the last service had ended, the collector hanging

    def lines_of(self, job: str) -> list[Line]:
        """Every line that names a job or stands in a trace of one that does, in order of time."""
        named = [one for one in self._all() if one.get("job_id") == str(self.jobs[job].id)]
        return sorted(named, key=lambda line: str(line["timestamp"]))

    def said(self, job: str, *tags: str) -> list[str]:
        """The events of a job that carry one of these tags, or any."""
        events = [str(line["event"]) for line in self.lines_of(job)]
        return [event for event in events if event.startswith(tags or "[")]

    def _all(self) -> list[Line]:
        return [line for lines in self.lines.values() for line in lines]


@dataclass(kw_only=True)
class Stage:
    """The running system, and who acts on it."""

    on: Ensemble
    collector: Collector
    bot: SendOnce
    directory: Path
    nats_url: str
    secrets: dict[str, str]

    async def live(self, name: str, **options: Any) -> JobView:
        """Have a job made, and wait until its result is in the chat."""
        job = await self.bot.create(
            key=name,
            chat_id=CHATS[name],
            user_id=USER,
            model="nano-banana-2",
            input={"prompt": PROMPT},
            price=PRICE,
            **options,
        )
        return await self.until_delivered(job)

    async def live_as_orphan(self) -> JobView:
        """Let KIE call back, unsigned by us, before anybody says whose task it is."""
        task = {
            "model": "nano-banana-2",
            "input": {"prompt": PROMPT},
            "callBackUrl": f"{self.on.gateway_url}/callbacks/kie",
        }
        async with (
            aiohttp.ClientSession(
                headers={"Authorization": f"Bearer {self.on.kie.api_key}"}
            ) as http,
            http.post(f"{self.on.kie.url}/api/v1/jobs/createTask", json=task) as answer,
        ):
            task_id = (await answer.json())["data"]["taskId"]
        await eventually(lambda: self._is_told("job_store", '"did": "orphan"'), within=WITHIN)
        job = await self.bot.expect(
            key="orphan", chat_id=CHATS["orphan"], user_id=USER, price=PRICE, status="none"
        )
        await self.bot.attach(job.id, task_id)
        return await self.until_delivered(job)

    async def live_in_trouble(self, trouble: str) -> tuple[JobView, float]:
        """Let the collector be of no use until the job-store has noticed; returns how many spans it lost."""
        before = await self.lost()
        if trouble == "away":
            await self.collector.close()
        self.collector.status = 500 if trouble == "500" else 200
        self.collector.hangs = trouble == "hangs"
        job = await self.live(trouble)

        async def more() -> float:
            return await self.lost() - before

        lost = await eventually(more, within=WITHIN)
        await self.collector.close()
        self.collector.status, self.collector.hangs = 200, False
        await self.collector.open()
        return job, lost

    async def until_delivered(self, job: JobView) -> JobView:
        async def shown() -> JobView | None:
            found = await self.bot.get(job_id=job.id)
            return found if found.state is JobState.DELIVERED else None

        return await eventually(shown, within=WITHIN)

    async def until_traced(self, job: JobView) -> None:
        """Wait until all that happened to a delivered job has arrived."""

        def is_here(it: Collector) -> bool:
            told = [one for one in it.of_trace(job.id.hex) if one.name == DELIVERED]
            return bool(told) and it.is_whole(job.id.hex)

        await self.collector.until(is_here, within=WITHIN)

    async def lost(self) -> float:
        """Spans of the job-store that never arrived: it is the one whose lines are looked at."""
        counts = await self._counts("job_store")
        return sum(
            counts.get(f'trace_spans_total{{outcome="{outcome}"}}', 0.0)
            for outcome in ("failed", "dropped")
        )

    async def counts(self) -> dict[str, Counts]:
        """Ask every service for its metrics."""
        return {name: await self._counts(name) for name in SERVICES}

    async def _counts(self, name: str) -> Counts:
        text = await self.exposition(name)
        return {
            f"{name}{{{labels}}}" if labels else name: float(value)
            for name, labels, value in _SAMPLE.findall(text)
        }

    async def exposition(self, name: str) -> str:
        """Ask one service for its metrics, as they stand there."""
        ready = self.on.services[name].spec.ready_url or ""
        async with (
            aiohttp.ClientSession() as http,
            http.get(ready.replace("/readyz", "/metrics")) as answer,
        ):
            return await answer.text()

    async def _is_told(self, service: str, words: str) -> bool:
        return words in self.on.services[service].spec.log.read_text()


async def lived(*, nats_url: str, database_url: str, directory: Path) -> Lives:
    """Live them all, one after the other, and end the services."""
    await migrate_bus(nats_url)
    seed = directory / "user.nk"
    seed.write_text(new_seed())
    async with Collector() as collector, nursery(directory) as born:
        settings = SETTINGS | {"OTLP_ENDPOINT": collector.url, "NATS_CREDS": str(seed)}
        async with (
            ensemble(
                nats_url=nats_url,
                database_url=database_url,
                directory=directory,
                errands=(),
                settings=settings,
                nursery=born,
            ) as on,
            SendOnce(nats_url, bot="default") as bot,
        ):
            stage = Stage(
                on=on,
                collector=collector,
                bot=bot,
                directory=directory,
                nats_url=nats_url,
                secrets={
                    "bot token": TOKEN,
                    "KIE key": on.kie.api_key,
                    "KIE HMAC key": HMAC_KEY,
                    "callback key": KEY,
                    "database password": urlsplit(database_url).password or "",
                    "NATS seed": seed.read_text(),
                },
            )
            return await _played(stage, born)


async def _played(stage: Stage, born: Nursery) -> Lives:
    await stage.bot.topup(user_id=USER, amount=10_000, reference="r", currency="RUB")
    jobs = {"normal": await stage.live("normal"), "orphan": await stage.live_as_orphan()}
    stage.on.telegram.faults.plan("429_n", "send", chat_id=CHATS["retry"], retry_after=1)
    jobs["retry"] = await stage.live("retry", status="none")
    for name in ("normal", "retry"):
        await stage.until_traced(jobs[name])
    lost = {}
    for trouble in TROUBLES:
        jobs[trouble], lost[trouble] = await stage.live_in_trouble(trouble)
    jobs["back"] = await stage.live("back")
    await stage.until_traced(jobs["back"])
    readable = await suffering.suffered(stage, born)
    counts = await stage.counts()
    # A hanging collector must not keep a service from ending.
    stage.collector.hangs = True
    stopping = time.monotonic()
    await asyncio.gather(*(process.stop() for process in stage.on.services.values()))
    logs = {name: process.spec.log.read_text() for name, process in stage.on.services.items()}
    return Lives(
        jobs=jobs,
        collector=stage.collector,
        lines={name: _lines(text) for name, text in logs.items()},
        logs="\n".join(logs.values()),
        counts=counts,
        readable=readable | {"traces": b"".join(stage.collector.raw).decode("latin-1")},
        secrets=stage.secrets,
        lost_spans=lost,
        stopped_in=time.monotonic() - stopping,
    )


def _lines(text: str) -> list[Line]:
    return [json.loads(line) for line in text.splitlines()]
