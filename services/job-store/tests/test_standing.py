"""What a scrape reads of how everything stands."""

import re
from datetime import timedelta

import pytest
from pydantic import SecretStr

from chassis import metrics
from chassis.clock import SYSTEM, SystemClock
from contracts.outcomes import Ambiguous, Later
from contracts.repairs import SetPause
from contracts.submissions import SubmissionRequested, TaskCreated
from job_store.app import Settings, _callback_url
from job_store.store.laws import LAWS, SHORTEST_REST, Laws
from job_store.store.pauses import Pauses
from job_store.store.standing import Standing
from store_kit import LATER, Store, callback, create


class HandSet(SystemClock):
    """A clock whose seconds pass when a test says so."""

    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


def read(name: str) -> dict[str, float]:
    """The samples of one metric, by their labels."""
    text = metrics.exposition().decode()
    found = re.findall(rf"^sendonce_{name}(?:{{(.*)}})? (\S+)$", text, re.MULTILINE)
    return {labels: float(value) for labels, value in found}


async def test_jobs_effects_and_their_ages(store: Store) -> None:
    await store.running()
    await store.made()
    await store.run("UPDATE jobs SET created_at = created_at - interval '5 minutes'")
    await store.run("UPDATE effects SET due_at = now() - interval '1 minute' WHERE kind = 'poll'")

    await Standing(store.database, SYSTEM).measure()

    open_jobs = read("jobs_open")
    assert sum(open_jobs.values()) == 2
    assert open_jobs['bot="shop",state="running"'] == 1
    assert all(300 <= age < 360 for age in read("job_open_oldest_seconds").values())
    assert read("effects_due")['kind="poll"'] == 1
    assert 60 <= read("effect_due_oldest_seconds")['kind="poll"'] < 90
    assert read("effects_acting") == {}


async def test_what_waits_for_a_person(store: Store) -> None:
    await store.succeeded(create(mode="send"))
    (ask,) = await store.deliveries("send")
    await store.begin(ask.attempt.id)
    await store.delivered(ask, Ambiguous(reason="timeout"), holder=ask.attempt.id)
    await store.report(callback(task_id="nobodys"))
    await store.inbox.keep_dead_letter(
        durable="d", subject="s", stream_seq=1, payload=b"", reason="odd"
    )
    hand = {"who": "ann", "why": "full", "not_after": LATER}
    await Pauses(store.units).set(SetPause(bot="shop", what="intake", paused=True, **hand))

    await Standing(store.database, SYSTEM).measure()

    assert read("parts_unsettled") == {'state="uncertain"': 1}
    assert read("orphans_waiting") == {"": 1}
    assert read("dead_letters_open") == {"": 1}
    assert read("paused") == {'bot="shop",what="intake"': 1}
    assert read("held_after_restore") == {"": 0}


async def test_a_stop_that_is_over_is_shown_no_more(store: Store) -> None:
    await store.succeeded()
    (ask,) = await store.deliveries("show")
    stopped = Later(reason="401", after=300, scope="bot", needs_owner=True)
    await store.delivered(ask, stopped)
    standing = Standing(store.database, SYSTEM)

    await standing.measure()
    before = read("stopped")
    await store.run("UPDATE pacing SET parked_until = now() - $1::interval", timedelta(seconds=1))
    await standing.measure()

    assert before == {'key="bot:shop",needs_owner="true"': 1}
    assert read("stopped") == {}


async def test_status_names_whom_a_429_holds_back_and_what_kie_accounts_have_left(
    store: Store,
) -> None:
    await store.succeeded()
    (ask,) = await store.deliveries("show")
    for left in (75.5, None, 70.0):
        await store.made()
        (submit,) = [one for one in await store.claimed() if isinstance(one, SubmissionRequested)]
        await store.begin(submit.attempt.id)
        task = TaskCreated(task_id=f"left-{left}")
        await store.submitted(submit, task, credits=left)
    await store.delivered(ask, Later(reason="429", after=300, scope="chat"))

    view = await store.ops.status()

    assert view.told_to_wait == {"chat": 1}
    assert view.credits == {"default": 70.0}
    assert view.healthy


async def test_what_became_of_jobs_is_counted_once_it_is_committed(store: Store) -> None:
    before = read("job_events_total").get('bot="shop",event="delivered"', 0)
    lived = read("job_seconds_count").get('bot="shop",state="delivered"', 0)

    await store.succeeded()
    await store.show_all()

    assert read("job_events_total")['bot="shop",event="delivered"'] == before + 1
    assert read("job_seconds_count")['bot="shop",state="delivered"'] == lived + 1


async def test_results_that_wait_for_us_alone_count_as_undelivered(store: Store) -> None:
    ours, theirs = await store.running(), await store.running(create(mode="send"))
    await store.report(callback(ours), callback(theirs))
    (send,) = await store.deliveries("send")
    await store.begin(send.attempt.id)
    await store.delivered(send, Ambiguous(reason="timeout"), holder=send.attempt.id)
    await store.run("UPDATE parts SET made_at = made_at - interval '2 minutes'")

    await Standing(store.database, SYSTEM).measure()

    assert read("parts_undelivered") == {'bot="shop"': 1}
    assert 120 <= read("part_undelivered_oldest_seconds")['bot="shop"'] < 180


async def test_what_is_held_and_what_waits_to_be_published(store: Store) -> None:
    await store.topup(1_000)
    await store.made(create(price=300))
    await store.made(create(price=200))
    await store.run("UPDATE outbox SET at = now() - interval '1 minute'")

    await Standing(store.database, SYSTEM).measure()

    assert read("holds_open") == {'bot="shop",currency="RUB"': 2}
    assert read("held_minor_units") == {'bot="shop",currency="RUB"': 500}
    assert read("outbox_waiting")[""] > 0
    assert 60 <= read("outbox_oldest_seconds")[""] < 90
    assert read("standing_timestamp_seconds")[""] > 0


async def test_an_event_that_never_happened_to_a_bot_is_shown_as_none(store: Store) -> None:
    await store.add_bot("quiet")

    await Standing(store.database, SYSTEM).measure()

    assert read("job_events_total")['bot="quiet",event="expired"'] == 0


async def test_each_stage_of_a_job_is_measured(store: Store) -> None:
    before = {stage: stages(stage) for stage in ("submitted", "reported", "shown")}
    reports = read("reports_total")
    told = read("outcomes_total")

    await store.succeeded()
    await store.show_all()

    assert {stage: stages(stage) - before[stage] for stage in before} == dict.fromkeys(before, 1)
    believed = 'did="succeeded",origin="callback",trust="trusted"'
    assert read("reports_total")[believed] == reports.get(believed, 0) + 1
    done = 'bot="shop",kind="show",outcome="done"'
    assert read("outcomes_total")[done] == told.get(done, 0) + 1


def stages(stage: str) -> float:
    return read("job_stage_seconds_count").get(f'bot="shop",stage="{stage}"', 0)


async def test_who_waits_for_the_pace_is_counted(store: Store) -> None:
    waited = read("pacing_wait_seconds_count").get('kind="show"', 0)
    jobs = [await store.running() for _ in range(4)]

    await store.report(*map(callback, jobs))
    await Standing(store.database, SYSTEM).measure()

    assert read("pacing_wait_seconds_count")['kind="show"'] > waited
    assert read("pacing_lines")['bucket="chat"'] == 1
    assert read("pacing_line_longest_seconds")['bucket="chat"'] > 0


async def test_offenders_of_a_law_are_counted_seldom(store: Store) -> None:
    await store.topup(1_000)
    await store.run("UPDATE wallets SET balance = balance + 1")
    clock = HandSet()
    laws = Laws(store.database, clock, orphan_ttl=timedelta(hours=1))

    await laws.round()
    began = read("laws_timestamp_seconds")
    clock.seconds += SHORTEST_REST
    await laws.round()
    await store.run("UPDATE wallets SET balance = balance - 1")
    await laws.round()

    assert read("law_offenders")['law="ledger_unbalanced"'] == 1
    assert read("law_offenders")['law="shown_twice"'] == 0
    assert len(read("law_offenders")) == len(LAWS)
    assert began[""] < read("laws_timestamp_seconds")[""]


@pytest.mark.parametrize("url,expected", [("https://bot.example", 1), (None, 0)])
def test_whether_kie_is_to_call_back_can_be_read(url: str | None, expected: int) -> None:
    keys = SecretStr("k1:YSBjYWxsYmFjayBrZXkgb2YgZW5vdWdoIGJ5dGVz")
    settings = Settings(database_url=SecretStr("postgresql://"), public_url=url, callback_keys=keys)

    _callback_url(settings)

    assert read("callbacks_expected") == {"": expected}
