"""Five running services are sent nonsense on every subject they read: nothing breaks, loops or moves."""

import time
from random import Random

import asyncpg
import pytest

from contracts import streams
from contracts.documents.surface import FACTS, Party
from contracts.refusals import RefusalName
from contracts.values import JobState
from deployment import Deployment
from fuzz import hostile, nonsense, speech
from fuzz.nonsense import BOT, Sent
from fuzz.speech import Spoken

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

MUTANTS = 30  # of each subject and each verb, in `make test`
SAMPLE_JOB = "019ab5c0-0000-7000-8000-000000000001"
REST = 20.0  # seconds: a message that met a bug has not come to rest by then


async def victim(deployment: Deployment) -> dict[str, str]:
    """Make a job that was delivered; nonsense about it must not change its end."""
    await deployment.sendonce.topup(user_id=7, currency="RUB", amount=10_000, reference="r1")
    job = await generation(deployment, "victim")
    return {SAMPLE_JOB: str(job.id), "shop": BOT}


async def generation(deployment: Deployment, key: str):
    job = await deployment.sendonce.create(
        key=key, chat_id=7, user_id=7, model="nano-banana-2", input={"prompt": key}, price=300
    )
    (done,) = await deployment.until_final(job)
    assert done.state is JobState.DELIVERED
    assert deployment.showings(done) == [1]
    return done


async def still_well(deployment: Deployment, *, dead: int) -> None:
    """A normal job goes through, and every law of the doctor holds but the one about dead letters."""
    await generation(deployment, "afterwards")

    async def laws_hold() -> bool:
        report = await deployment.ops("doctor")
        broken = {one["check"] for one in report["findings"] if not one["ok"]}
        # Nonsense may claim that a result is uncertain; that it is shown is what the law asks for.
        return broken <= {"dead_letters", "uncertain_parts"}

    await deployment.eventually(laws_hold, within=15)
    status = await deployment.ops("status")
    assert status["dead_letters"] == dead


async def test_fault_33_nonsense_on_every_stored_subject_becomes_a_dead_letter_or_is_done_with(
    deployment: Deployment, effort, tell
) -> None:
    dice = Random(effort.seed)
    known = await victim(deployment)
    before = nonsense.failures()
    sent: list[Sent] = []
    until = time.monotonic() + (effort.seconds or 0) / 2
    while not sent or time.monotonic() < until:
        for to in speech.facts():
            mutants = [
                nonsense.renamed(
                    hostile.mutant(nonsense.sample(to, known, deployment, dice), dice), dice
                )
                for _ in range(MUTANTS)
            ]
            calls = [nonsense.publish(deployment, to, raw, dice) for raw in mutants]
            sent += [one for one in await nonsense.together(calls) if one is not None]
        await nonsense.at_rest(deployment, within=REST)

    assert nonsense.failures() == before, "a handler failed on a message instead of judging it"
    assert {one.to.address for one in sent} == {one.address for one in speech.facts()}
    assert any(one.readable for one in sent)
    dead = await kept(deployment, sent)
    await still_well(deployment, dead=dead)
    tell(
        f"{len(sent)} mutants stored, {sum(one.readable for one in sent)} readable, {dead} dead letters"
    )


async def kept(deployment: Deployment, sent: list[Sent]) -> int:
    """Every unreadable one is a row with its payload, or, where no database is, still in its stream."""
    connection = await asyncpg.connect(deployment.database_url)
    try:
        rows = await connection.fetch(
            "SELECT subject, stream_seq, payload FROM sendonce.dead_letters"
        )
    finally:
        await connection.close()
    letters = {(row["subject"], row["stream_seq"]): row["payload"] for row in rows}
    to_store = {one.address for one in FACTS if one.read_by is Party.STORE}
    js = deployment.client.jetstream()
    for one in sent:
        if one.readable:
            continue
        if one.to.address in to_store:
            assert letters.get((one.to.address, one.seq)) == one.raw
        else:
            stored = await js.get_msg(streams.stream_of(one.to.address), seq=one.seq)
            assert (stored.data or b"") == one.raw
    return len(letters)


async def test_nonsense_asked_of_every_verb_is_refused_or_answered_and_a_refusal_changes_nothing(
    deployment: Deployment, effort, tell
) -> None:
    dice = Random(effort.seed)
    known = await victim(deployment)
    await nonsense.at_rest(deployment, within=REST)
    verbs = speech.questions(BOT)
    mutants = [
        (to, hostile.mutant(nonsense.sample(to, known, deployment, dice), dice))
        for to in verbs
        for _ in range(MUTANTS)
    ]
    connection = await asyncpg.connect(deployment.database_url)
    try:
        before = await nonsense.state(connection)
        unreadable = [one for one in mutants if not nonsense.reads(*one)]
        refused = await asked(deployment, unreadable, dice)
        assert await nonsense.state(connection) == before
    finally:
        await connection.close()
    readable = [one for one in mutants if nonsense.reads(*one)]
    said = await asked(deployment, readable, dice)

    assert set(refused) == {RefusalName.INVALID_REQUEST}
    assert {to.address for to, _ in unreadable} == {to.address for to in verbs}
    assert None in said
    # An operator's word counts, also one that makes little sense: the bot is put right again.
    await deployment.ops("bots.add", slug=BOT)
    await deployment.ops("bots.texts", slug=BOT, texts={})
    await still_well(deployment, dead=0)
    tell(f"{len(refused)} unreadable questions refused, {len(said)} readable ones answered")


async def asked(
    deployment: Deployment, mutants: list[tuple[Spoken, bytes]], dice: Random
) -> list[RefusalName | None]:
    """Ask each; every one is answered as the contracts say."""
    answers = await nonsense.together(
        [nonsense.ask(deployment, to, raw, dice) for to, raw in mutants]
    )
    return [
        nonsense.refusal(to, raw, answer)
        for (to, raw), answer in zip(mutants, answers, strict=True)
    ]
