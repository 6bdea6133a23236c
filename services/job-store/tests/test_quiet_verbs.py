"""Verbs that are seldom called, each once, with the rights of job-store's role."""

from datetime import timedelta

from contracts.ops import BotView, SetTexts
from job_store.store.lineage import Phase
from store_kit import LATER, Store


async def test_a_bots_own_lines_are_replaced_whole(store: Store) -> None:
    for texts in ({"status": "Wait", "carrier.image": "Ready"}, {"status": "Patience"}):
        view = await store.ops.set_texts(
            SetTexts(slug="shop", texts=texts, who="ann", why="ours", not_after=LATER)
        )
        assert isinstance(view, BotView), view

    assert view.texts == {"status": "Patience"}


async def test_pacing_rows_that_nobody_uses_are_forgotten(store: Store) -> None:
    ages = {"chat:shop:1": timedelta(hours=2), "chat:shop:2": timedelta(minutes=1)}
    for key, age in ages.items():
        await store.run("INSERT INTO pacing (key, tat) VALUES ($1, now() - $2::interval)", key, age)

    await store.effects.forget_buckets()

    assert [row["key"] for row in await store.fetch("SELECT key FROM pacing")] == ["chat:shop:2"]


async def test_a_hold_goes_through_its_phases_and_is_over(store: Store) -> None:
    await store.run("INSERT INTO restores (durable, missing) VALUES ('job-store-reports', 'r-1')")
    restore = await store.lineage.restore()
    assert restore is not None

    for phase in (Phase.REPORTS, Phase.OUTCOMES):
        await store.lineage.move_on(restore, phase)
        now = await store.lineage.restore()
        assert now is not None
        assert now.phase is phase

    await store.lineage.move_on(restore, Phase.OVER)
    assert await store.lineage.restore() is None


async def test_a_floor_is_kept_also_when_it_is_lower(store: Store) -> None:
    for seq in (9, 4):
        await store.inbox.keep_floor("job-store-reports", seq)

    assert await store.inbox.floor("job-store-reports") == 4


async def test_what_is_given_back_is_claimed_again_until_it_is_deleted(store: Store) -> None:
    await store.made()
    await store.run("UPDATE outbox SET leased_until = now() - interval '1 s'")
    rows = await store.outbox.claim_outbox(10)
    ids = [row.id for row in rows]
    assert await store.outbox.claim_outbox(10) == []

    await store.outbox.release_outbox(ids)
    assert [row.id for row in await store.outbox.claim_outbox(10)] == ids

    await store.outbox.delete_outbox(ids)
    assert await store.value("SELECT count(*) FROM outbox") == 0
