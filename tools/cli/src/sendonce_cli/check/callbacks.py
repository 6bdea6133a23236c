"""Phase 3: the callback handler, as KIE meets it: every dialect, every place of a task id, refusals, orphans."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from contracts.api import JobView
from contracts.repairs import ExpireOrphans, RepairsView
from contracts.values import JobState, MoneyState
from sendonce_cli.check.atomic import heard
from sendonce_cli.probes import speech
from sendonce_cli.probes.door import CALLBACKS, JSON
from sendonce_cli.probes.items import Phase, claim
from sendonce_cli.probes.tenant import Tenant
from testkit.kie.wire import JsonObject, success

PRICE: Final = 30
TOO_LARGE: Final = 256 * 1024 + 1  # bytes; what a callback without a token may hold, and one more
ENDS: Final = (JobState.SUCCEEDED, JobState.FAILED)
# Documented, and no others (docs/glossary.md); a decoy stands where a greedy search would find it.
PLACES: Final[Mapping[str, Callable[[str], JsonObject]]] = {
    "data.taskId": lambda task: success({"taskId": task, "input": {"task": "upscale"}}),
    "data.task_id": lambda task: success({"task_id": task, "data": [{"id": "a-track"}]}),
    "taskId": lambda task: {**success({"meta": {"task": "cleanup"}}), "taskId": task},
    "task_id": lambda task: {**success(None), "task_id": task},
}

PHASE: Final = Phase[Tenant](
    number=3,
    name="callbacks",
    title="callbacks: dialects, ids, orphans, refusals",
    todo="look at the gateway's log for [KIE_CALLBACK], and read the body with `sendonce callback parse`",
)


def _dialect(families: tuple[str, ...]) -> Callable[[Tenant], Awaitable[None]]:
    async def look(lab: Tenant) -> None:
        await asyncio.gather(*(_one_dialect(lab, family) for family in families))

    return look


for _group, _families in speech.GROUPS.items():
    PHASE.probe(
        f"dialect: {_group}",
        expects="its success ends a job with all its results, its failure with the failure's reason",
    )(_dialect(_families))


async def _one_dialect(lab: Tenant, family: str) -> None:
    good, bad = await lab.expect(), await lab.expect()
    spoken = speech.done(family, lab.task_id())
    await lab.calls_back(good, spoken.body)
    await lab.calls_back(bad, speech.failed(family, lab.task_id()).body)

    done = await lab.until_state(good, *ENDS)
    links = [part.url for part in done.parts if part.url]
    claim(done.state is JobState.SUCCEEDED, f"{family}: a success made the job {done.state}")
    claim(done.parts, f"{family}: a success without a result")
    claim(set(spoken.links) <= set(links), f"{family}: results {links}, not {spoken.links}")
    lost = await lab.until_state(bad, *ENDS)
    claim(lost.state is JobState.FAILED, f"{family}: a failure made the job {lost.state}")
    claim(lost.error == speech.FAILURE, f"{family}: its reason was read as {lost.error!r}")


@PHASE.probe(
    "places of the task id",
    expects=f"the id is found at {', '.join(PLACES)}, and never guessed from elsewhere",
)
async def places(lab: Tenant) -> None:
    plain = await lab.plain()
    for place, body in PLACES.items():
        task_id = lab.task_id()
        answer = await lab.door.post(plain, body(task_id))
        claim(answer.status == 200, f"an id at {place} was answered with {answer}")  # noqa: PLR2004 - HTTP's own
        await lab.until_orphan(task_id, "waiting")
    two = {**success({"taskId": lab.task_id()}), "taskId": lab.task_id()}
    none = success({"input": {"taskId": "x"}})
    for name, unclear in (("no id", none), ("two different ids", two)):
        answer = await lab.door.post(plain, unclear)
        claim(answer.status == 400, f"{name} in the documented places: {answer}")  # noqa: PLR2004 - as above


@PHASE.probe(
    "refusals",
    expects="a forged address 401, no JSON 400 or 415, too large 413, another path 404, GET 405; each says why",
    todo="stop the gateway: it takes what it must refuse, or cannot say why",
)
async def refusals(lab: Tenant) -> None:
    plain, body = await lab.plain(), speech.running(lab.task_id())
    signed = lab.callback(await lab.expect())
    head, _, token = signed.rpartition("/")
    key, _, mac = token.partition(".")
    forged = f"{head}/{key}.{'B' if mac[0] == 'A' else 'A'}{mac[1:]}"
    text = {"Content-Type": "text/plain"}
    padded = json.dumps({**body, "more": "x" * TOO_LARGE}).encode()
    asked = (
        ("a forged address", 401, await lab.door.post(forged, body)),
        ("a body that is no JSON", 400, await lab.door.post(plain, b"{")),
        ("a body said to be text", 415, await lab.door.post(plain, body, headers=text)),
        ("a body that is too large", 413, await lab.door.post(plain, padded)),
        ("another path", 404, await lab.door.post(plain.removesuffix(CALLBACKS) + "/x", body)),
        ("GET", 405, await lab.door.post(plain, b"", headers={}, method="GET")),
    )
    for what, wanted, answer in asked:
        claim(answer.status == wanted, f"{what} was answered with {answer}, not {wanted}")
        claim(answer.media_type == "application/problem+json", f"{what}: {answer.media_type}")
        claim(answer.body.get("hint"), f"{what}: refused without a hint")


@PHASE.probe(
    "nothing signed is refused",
    expects="with our signature an unreadable body is kept, and moves nothing",
)
async def signed_nonsense(lab: Tenant) -> None:
    job = await lab.expect()
    before = await lab.look(job)
    for nonsense in (b"\xff\xfe", b"[]", b'{"code": 200'):
        await lab.door.tell(lab.callback(job), nonsense)
    await heard(lab, job, 3)
    now = await lab.look(job)
    claim(now.state is before.state, f"nonsense made the job {now.state}")


@PHASE.probe(
    "an unknown state",
    expects="a state nobody documented holds the job: it is neither done nor failed",
)
async def unknown_state(lab: Tenant) -> None:
    job, task_id = await lab.expect(), lab.task_id()
    await lab.calls_back(job, speech.unheard_of(task_id))
    await heard(lab, job, 1)
    now = await lab.look(job)
    claim(now.state is JobState.RUNNING, f"the job is {now.state}")


@PHASE.probe(
    "a stranger's callback",
    expects="without a signature nothing moves, neither job nor money, until KIE itself was asked",
    todo="stop the gateway: whoever knows a task id can end jobs",
)
async def stranger(lab: Tenant) -> None:
    user, task_id = await lab.paid_in(PRICE), lab.task_id()
    job = await lab.expect(user_id=user, price=PRICE)
    await lab.bot.attach(job.id, task_id)
    await lab.door.tell(await lab.plain(), speech.done("market", task_id).body)
    await heard(lab, job, 1)
    now = await lab.look(job)
    seen = f"the job is {now.state}, money {now.money}"
    claim((now.state, now.money) == (JobState.RUNNING, MoneyState.HELD), seen)


@PHASE.probe(
    "an orphan finds its job",
    expects="a callback before its job is kept, and belongs to it as soon as the bot tells of the task",
)
async def orphan(lab: Tenant) -> None:
    task_id = lab.task_id()
    await lab.door.tell(await lab.plain(), speech.done("market", task_id).body)
    await lab.until_orphan(task_id, "waiting")
    job = await lab.expect()
    await lab.bot.attach(job.id, task_id)
    matched = await lab.until_orphan(task_id, "matched")
    claim(matched.job_id == job.id, "it was matched to another job")
    await _adopted(lab, job)


@PHASE.probe(
    "an orphan that comes again",
    expects="a callback of an orphan that was given up makes it wait again",
)
async def again(lab: Tenant) -> None:
    task_id, plain = lab.task_id(), await lab.plain()
    await lab.door.tell(plain, speech.running(task_id))
    found = await lab.until_orphan(task_id, "waiting")
    await lab.desk.ops(
        "orphans.expire", ExpireOrphans, RepairsView, orphan_ids=(found.id,), **lab.by
    )
    await lab.until_orphan(task_id, "expired")
    answer = await lab.door.post(plain, speech.done("market", task_id).body, headers=JSON)
    claim(answer.status == 200, f"the second callback was answered with {answer}")  # noqa: PLR2004 - HTTP's own
    await lab.until_orphan(task_id, "waiting")


async def _adopted(lab: Tenant, job: JobView) -> None:
    """Claim that what the orphan said stands in the job's story."""
    await heard(lab, job, 1)
