"""What a scrape reads of how everything stands."""

import re
from datetime import timedelta

from chassis import metrics
from contracts.outcomes import Ambiguous, Later
from contracts.repairs import SetPause
from job_store.store.pauses import Pauses
from job_store.store.standing import Standing
from store_kit import LATER, Store, callback, create


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

    await Standing(store.database).measure()

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

    await Standing(store.database).measure()

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
    standing = Standing(store.database)

    await standing.measure()
    before = read("stopped")
    await store.run("UPDATE pacing SET parked_until = now() - $1::interval", timedelta(seconds=1))
    await standing.measure()

    assert before == {'key="bot:shop",needs_owner="true"': 1}
    assert read("stopped") == {}


async def test_what_became_of_jobs_is_counted_once_it_is_committed(store: Store) -> None:
    before = read("job_events_total").get('bot="shop",event="delivered"', 0)
    lived = read("job_seconds_count").get('bot="shop",state="delivered"', 0)

    await store.succeeded()
    await store.show_all()

    assert read("job_events_total")['bot="shop",event="delivered"'] == before + 1
    assert read("job_seconds_count")['bot="shop",state="delivered"'] == lived + 1
