"""Faults that like to quote secrets, put on watched lives; and all that people can read of a system afterwards."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import aiohttp
import asyncpg
import nats
from typer.testing import CliRunner

from contracts import streams, subjects
from contracts.values import JobState
from deployment import FINAL, TOKEN, eventually
from ensemble import SERVICES, service
from sendonce_cli.main import app
from testkit.kie import Plan
from testkit.logging_kept import logging_kept
from testkit.processes.nursery import Nursery
from testkit.telegram import FaultPlan, Mode

if TYPE_CHECKING:
    from watched_lives import Stage

WITHIN: Final = 30.0
USER: Final = 8
CHATS: Final = {"key-quoted": 31, "token-quoted": 32, "cut": 33}
WRONG_PASSWORD: Final = "not-the-password-of-anybody"
# What a person types to look at everything.
LOOKS: Final = (
    "status",
    "doctor",
    "audit",
    "bots list",
    "jobs list",
    "dead list",
    "orphans list",
    "deliveries uncertain",
    "wallet show {user}",
    "wallet statement {user}",
    "users export default {user}",
)


async def suffered(stage: "Stage", born: Nursery) -> dict[str, str]:
    """Let all of it happen; returns by place what can be read then."""
    stage.secrets["wrong password"] = WRONG_PASSWORD
    jobs = await _jobs(stage)
    await _strangers(stage)
    dead = await _dead_letter(stage)
    await _database_cut(stage)
    readable = await _failed_starts(stage, born)
    await eventually(lambda: _is_quiet(stage), within=WITHIN)
    urls = [task.callback_url or "" for task in stage.on.kie.tasks()]
    tokens = {url.rpartition("/")[2] for url in urls if "." in url.rpartition("/")[2]}
    stage.secrets |= {f"callback token {n}": token for n, token in enumerate(sorted(tokens))}
    stories = [f"jobs show {job}" for job in jobs] + [f"dead show {dead}"]
    readable |= await asyncio.to_thread(_commands, stage.nats_url, stories)
    readable |= {f"/metrics of {name}": await stage.exposition(name) for name in SERVICES}
    return readable | await _kept(stage)


async def _jobs(stage: "Stage") -> list[str]:
    """Jobs whose refusals quote keys, or whose calls are cut."""
    told = f"no access for Authorization: Bearer {stage.on.kie.api_key}"
    stage.on.kie.plan_marked(
        "key-quoted", Plan(reject_creates=9, reject_code=422, reject_message=told)
    )
    quoted = (
        f"Bad Request: https://api.telegram.org/bot{TOKEN}/editMessageMedia is no photo of {TOKEN}"
    )
    faults = stage.on.telegram.faults
    for mode, name, times in (
        (Mode.REJECT_BEFORE_COMMIT, "token-quoted", 2),
        (Mode.COMMIT_THEN_CLOSE, "cut", 1),
        (Mode.CLOSE_BEFORE_COMMIT, "cut", 1),
    ):
        plan = FaultPlan(
            mode=mode, chat_id=CHATS[name], status=400, description=quoted, times=times
        )
        faults.add(plan)
    made = [
        await stage.bot.create(
            key=name,
            chat_id=chat,
            user_id=USER,
            model="nano-banana-2",
            input={"prompt": f"plan:{name}"},
        )
        for name, chat in CHATS.items()
    ]

    async def ended() -> dict[str, JobState] | None:
        found = {job.key: (await stage.bot.get(job_id=job.id)).state for job in made}
        return found if set(found.values()) <= FINAL else None

    assert (await eventually(ended, within=WITHIN))["key-quoted"] is JobState.FAILED
    return [str(job.id) for job in made]


async def _strangers(stage: "Stage") -> None:
    """Callbacks with a true token and nonsense, a forged token, and a signature nobody made."""
    url = stage.on.kie.tasks()[-1].callback_url
    assert url is not None
    forged = url[:-4] + ("AAAA" if url[-4:] != "AAAA" else "BBBB")
    signed = {"X-Webhook-Timestamp": "1", "X-Webhook-Signature": stage.secrets["KIE HMAC key"]}
    async with aiohttp.ClientSession() as http:
        for at, headers in (
            (url, {}),
            (forged, {}),
            (url, signed),
            (url.rpartition("/")[0], signed),
        ):
            body = json.dumps({"data": {"param": json.dumps({"callBackUrl": url})}})
            async with http.post(at, data=body, headers=headers) as answer:
                said = await answer.text()
            assert url.rpartition("/")[2] not in said


async def _dead_letter(stage: "Stage") -> int:
    """Have a true report, with its body, come again in a form that nobody can read; returns its number."""
    client = await nats.connect(stage.nats_url)
    try:
        js = client.jetstream()
        seq = (await js.stream_info(streams.REPORTS)).state.first_seq
        found = await js.get_msg(streams.REPORTS, seq)
        report: dict[str, Any] = json.loads(found.data or b"")
        report |= {"id": str(uuid4()), "origin": "nowhere"}
        await js.publish(subjects.REPORT_RECEIVED, json.dumps(report).encode())
    finally:
        await client.close()

    async def numbers() -> list[int]:
        rows = await _rows(stage.on.database_url, "SELECT id FROM sendonce.dead_letters")
        return [int(row) for row in rows]

    (number, *_) = await eventually(numbers, within=WITHIN)
    return number


async def _database_cut(stage: "Stage") -> None:
    """Postgres ends every session of job-store's; it comes back."""
    gone = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    ours = "application_name = 'job-store' AND datname = current_database()"
    assert await _rows(stage.on.database_url, f"{gone} WHERE {ours}")
    await stage.bot.topup(user_id=USER, amount=1, reference="after the cut", currency="RUB")


async def _is_quiet(stage: "Stage") -> bool:
    acting = "SELECT id FROM sendonce.effects WHERE state = 'acting'"
    return not await _rows(stage.on.database_url, acting)


async def _failed_starts(stage: "Stage", born: Nursery) -> dict[str, str]:
    """Services that were told nonsense, and say so; returns what they said."""
    at = stage.on.database_url.rpartition("@")[2]
    nonsense: dict[str, Mapping[str, str]] = {
        "job_store": {"DATABASE_URL": f"postgresql://anna:{WRONG_PASSWORD}@{at}"},
        "submitter": {"NATS_CREDS": stage.secrets["NATS seed"]},
        "reconciler": {"NATS_URL": f"nats://anna:{WRONG_PASSWORD}@127.0.0.1:none"},
        "callback_gateway": {
            "CALLBACK_KEYS": f"k1:{stage.secrets['callback key']},k1",
            "KIE_HMAC_KEYS": f"{stage.secrets['KIE HMAC key']}",
        },
        "deliverer": {"BOT_TOKENS": TOKEN, "TELEGRAM_API_URL": f"ftp://{TOKEN}"},
    }
    place = stage.directory / "nonsense"
    place.mkdir()
    said = {}
    for name, told in nonsense.items():
        process = service(name, {"NATS_URL": stage.nats_url, **told}, logs=place, nursery=born)
        process.spawn()

        async def has_ended() -> bool:
            return not process.running  # noqa: B023 - waited for before the next

        await eventually(has_ended, within=WITHIN)
        said[f"start of {name}"] = process.spec.log.read_text()
    return said


def _commands(nats_url: str, stories: list[str]) -> dict[str, str]:
    runner, env = CliRunner(), {"SENDONCE_NATS_URL": nats_url, "COLUMNS": "300"}
    lines = [line.format(user=USER) for line in (*LOOKS, *stories)]
    with logging_kept():
        return {
            line: (shown := runner.invoke(app, line.split(), env=env)).output
            + repr(shown.exception)
            for line in _both(lines)
        }


def _both(lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield line
        if not line.startswith("users export"):
            yield f"{line} --json"


async def _kept(stage: "Stage") -> dict[str, str]:
    """Every row of every table, and every message but the requests: those hold the URL that KIE is told."""
    tables = await _rows(
        stage.on.database_url, "SELECT tablename FROM pg_tables WHERE schemaname = 'sendonce'"
    )
    kept = {
        f"table {name}": "\n".join(
            await _rows(stage.on.database_url, f"SELECT t::text FROM sendonce.{name} t")
        )
        for name in tables
    }
    client = await nats.connect(stage.nats_url)
    try:
        js = client.jetstream()
        for stream in (streams.REPORTS, streams.OUTCOMES, streams.JOBS, streams.DELIVERIES):
            state = (await js.stream_info(stream)).state
            found = [
                await js.get_msg(stream, seq) for seq in range(state.first_seq, state.last_seq + 1)
            ]
            kept[f"stream {stream}"] = "\n".join((one.data or b"").decode() for one in found)
    finally:
        await client.close()
    return kept


async def _rows(database_url: str, query: str) -> list[str]:
    connection = await asyncpg.connect(database_url)
    try:
        return [str(row[0]) for row in await connection.fetch(query)]
    finally:
        await connection.close()
