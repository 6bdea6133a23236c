"""Sends, albums, progress, staging and learned times on real Postgres."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from chassis.postgres import Database
from contracts.api import JobView
from contracts.deliveries import Migrated, RefusalCode, Send, Shown
from contracts.effects import Go, Stop
from contracts.markup import Button, Entity
from contracts.ops import AddBot, BotView, SetTexts
from contracts.outcomes import Ambiguous, Later, NotSent, Refused
from contracts.refusals import Refusal, RefusalName
from contracts.reports import ReportedMedia
from contracts.values import JobState, MediaKind, PartState
from job_store.domain.rules import LATE, Usual
from job_store.store.creation import Created, Creation
from job_store.store.durations import Durations
from job_store.verbs import BotVerbs
from store_kit import (
    LATER,
    Store,
    callback,
    create,
    deliver,
    delivery_outcome,
    expect,
    images,
    progressed,
    sent,
)

BUTTONS = ((Button(text="Again", data="again"), Button(text="Open", url="https://shop.example/")),)
STAGING = -100_500


async def album(store: Store, **fields: object) -> UUID:
    return await store.made(deliver(**{"mode": "send", "media": images(3), **fields}))


# -- sends -------------------------------------------------------------------------------------------


async def test_an_album_goes_from_request_to_chat(store: Store):
    job_id = await album(store, buttons=BUTTONS, caption="two cats", protect=True, originals=True)

    assert await store.show_all() == 7
    job = await store.job(job_id)

    assert (job.state, job.mode) == (JobState.DELIVERED, "send")
    assert [part.kind for part in job.parts] == ["image"] * 3 + ["text"] + ["file"] * 3
    assert len({part.message_id for part in job.parts}) == 7
    assert await store.value("SELECT count(*) FROM carriers") == 7


async def test_whatever_a_part_is_made_of_comes_back_from_its_row(store: Store):
    bold = Entity(type="bold", offset=0, length=3)
    media = (
        ReportedMedia(kind=MediaKind.FILE, text="la la", name="lyrics.txt"),
        ReportedMedia(kind=MediaKind.MIDI, text="{}"),
        ReportedMedia(kind=MediaKind.VOICE, url="https://files.example/a.ogg"),
        ReportedMedia(kind=MediaKind.ANIMATION, url="https://files.example/a.gif"),
    )
    await store.made(
        deliver(media=media, buttons=BUTTONS, caption="two", caption_entities=(bold,), mode="send")
    )
    first, *_ = await store.deliveries("send")
    assert isinstance(first.action, Send)
    content = first.action.parts[0].content
    assert (content.body, content.name, content.kind) == ("la la", "lyrics.txt", MediaKind.FILE)
    await store.begin(first.attempt.id)
    await store.delivered(first, sent(first, 100), holder=first.attempt.id)
    assert await store.show_all(first_message=200) == 3


async def test_one_holder_of_a_send_is_let_through(store: Store):
    await album(store)
    (ask,) = await store.deliveries("send")
    answers = await asyncio.gather(*(store.begin(ask.attempt.id, uuid4()) for _ in range(10)))
    assert sum(isinstance(answer, Go) for answer in answers) == 1
    assert [a.lease for a in answers if isinstance(a, Go)] == [90]


async def test_a_send_is_uncertain_after_its_call_and_settled_by_evidence(store: Store):
    job_id = await album(store)
    (ask,) = await store.deliveries("send")
    await store.begin(ask.attempt.id)
    await store.end_leases()

    assert await store.claimed() == []
    assert {part.state for part in (await store.job(job_id)).parts} == {PartState.UNCERTAIN}
    findings = {f.check: f.ok for f in (await store.ops.doctor()).findings}
    assert not findings["uncertain_parts"]
    assert findings["succeeded_without_effect"]

    await store.delivered(ask, sent(ask, 100), holder=uuid4())
    assert (await store.job(job_id)).state is JobState.DELIVERED


async def test_a_send_nobody_began_goes_again_with_another_token(store: Store):
    await album(store)
    (stale,) = await store.deliveries("send")
    await store.end_leases()
    (fresh,) = await store.deliveries("send")
    assert isinstance(await store.begin(stale.attempt.id), Stop)
    assert isinstance(await store.begin(fresh.attempt.id), Go)


async def test_fault_50_an_album_taken_apart_stays_apart(store: Store):
    job_id = await album(store)
    (ask,) = await store.deliveries("send")
    await store.begin(ask.attempt.id)
    bad = Refused(code=RefusalCode.MEDIA_UNUSABLE, reason="group send failed")
    await store.delivered(ask, bad, holder=ask.attempt.id)

    for no in range(3):
        (ask,) = await store.deliveries("send")
        assert len(ask.action.parts) == 1
        await store.begin(ask.attempt.id)
        await store.delivered(ask, sent(ask, 100 + no), holder=ask.attempt.id)
    assert (await store.job(job_id)).state is JobState.DELIVERED


async def test_two_answers_of_one_send_end_the_job_once(store: Store):
    await album(store)
    (ask,) = await store.deliveries("send")
    await store.begin(ask.attempt.id)
    await asyncio.gather(
        *(store.delivered(ask, sent(ask, 100), holder=ask.attempt.id) for _ in range(5))
    )
    assert await store.events("delivered") == 1
    assert await store.value("SELECT max(showings) FROM parts") == 1


async def test_no_part_is_put_into_its_chat_by_two_effects(store: Store):
    await album(store)
    with pytest.raises(asyncpg.UniqueViolationError):
        await store.run(
            "INSERT INTO effects (id, job_id, kind, part_id, state, due_at) "
            "SELECT gen_random_uuid(), job_id, 'show', part_id, 'pending', now() FROM effects"
        )


async def test_a_refused_album_is_told_with_its_reason(store: Store):
    job_id = await album(store)
    (ask,) = await store.deliveries("send")
    await store.begin(ask.attempt.id)
    gone = Refused(code=RefusalCode.CHAT_GONE, reason="chat not found")
    await store.delivered(ask, gone, holder=ask.attempt.id)
    job = await store.job(job_id)
    assert {part.refusal for part in job.parts} == {"chat_gone"}


# -- pacing ------------------------------------------------------------------------------------------


async def due(store: Store) -> list[tuple[int, float]]:
    """Return what waits, by chat and seconds to go."""
    rows = await store.fetch(
        "SELECT j.chat_id, extract(epoch FROM e.due_at - now())::float8 AS wait FROM effects e "
        "JOIN jobs j ON j.id = e.job_id WHERE e.state = 'pending' ORDER BY e.due_at, e.id"
    )
    return [(row["chat_id"], row["wait"]) for row in rows]


@pytest.mark.postgres
async def test_albums_of_one_chat_wait_in_order_and_another_chat_goes_at_once(store: Store):
    jobs = [await album(store, chat_id=1, media=images(10)) for _ in range(3)]
    other = await album(store, chat_id=2)
    before = len(store.offered)

    await store.effects.claim_due(300)

    asked = [row for row in store.offered[before:] if row.subject == "deliveries.requested"]
    assert len(asked) == 2
    waiting = [
        row["job_id"]
        for row in await store.fetch(
            "SELECT job_id FROM effects WHERE state = 'pending' AND queued ORDER BY due_at"
        )
    ]
    assert waiting == jobs[1:]
    assert other not in waiting
    waits = [wait for chat, wait in await due(store) if chat == 1]
    assert waits[1] - waits[0] >= 9


async def test_who_comes_later_goes_behind_who_waits_already(store: Store):
    for _ in range(2):
        await album(store, media=images(10))
    await store.effects.claim_due(300)
    await store.run("UPDATE pacing SET tat = 'epoch'")  # were it free, the queue would still stand
    late = await album(store, media=images(1))

    await store.effects.claim_due(300)

    last = await store.value(
        "SELECT job_id FROM effects WHERE state = 'pending' ORDER BY due_at DESC"
    )
    assert last == late


async def test_a_slow_staging_chat_parks_itself_and_not_the_users(store: Store):
    await store.ops.add_bot(AddBot(slug="shop", staging_chat=STAGING, not_after=LATER))
    await album(store, media=images(1))
    (ask,) = await store.deliveries("send")
    await store.delivered(ask, Refused(code=RefusalCode.BLOCKED, reason="blocked"))
    (stage,) = await store.deliveries("stage")
    assert stage.action.chat_id == STAGING
    await store.delivered(stage, Later(reason="429", after=60, scope="chat"))
    parked = await store.fetch("SELECT key FROM pacing WHERE parked_until > now()")
    assert [row["key"] for row in parked] == [f"group:shop:{STAGING}"]


async def test_a_staged_medium_is_sent_by_its_file_id(store: Store):
    await store.ops.add_bot(AddBot(slug="shop", staging_chat=STAGING, not_after=LATER))
    job_id = await store.succeeded()
    (ask,) = await store.deliveries("show")
    await store.delivered(ask, Refused(code=RefusalCode.BLOCKED, reason="blocked"))
    wait = await store.value("SELECT due_at - now() FROM effects WHERE kind = 'stage'")
    assert timedelta(hours=11) < wait <= timedelta(hours=12)
    (stage,) = await store.deliveries("stage")
    await store.delivered(stage, Shown(message_id=5, file_id="kept"))
    await store.effects.returned(bot="shop", chat_id=7)

    (again,) = await store.deliveries("show")

    assert (again.action.content.file_id, again.chat_id) == ("kept", 7)
    assert (await store.job(job_id)).parts[0].message_id is None


# -- progress ----------------------------------------------------------------------------------------


async def test_progress_is_written_shown_and_ends(store: Store):
    job_id = await store.running(create(status=50))
    await store.report(progressed(job_id, 40.5))
    (edit,) = await store.deliveries("rewrite")
    assert "40 %" in edit.action.text
    await store.delivered(edit, Shown(message_id=50))
    assert (await store.job(job_id)).progress == pytest.approx(40.5)
    assert await store.deliveries("rewrite") == []

    await store.report(callback(job_id))
    (show,) = await store.deliveries("show")
    assert show.action.carrier.message_id == 50
    await store.delivered(show, Shown(message_id=50))
    assert await store.deliveries() == []


async def test_an_unclear_edit_is_remembered_with_the_job(store: Store):
    words = (ReportedMedia(kind=MediaKind.TEXT, text="words"),)
    job_id = await store.running(create(status=50))
    await store.report(progressed(job_id, 40))
    (edit,) = await store.deliveries("rewrite")
    await store.delivered(edit, Ambiguous(reason="timeout"))
    await store.report(callback(job_id, media=words))

    (show,) = await store.deliveries("show")
    assert show.action.carrier.kind == "fresh"
    await store.carried(show.attempt.id, 60)
    await store.delivered(show, Shown(message_id=60))
    wait = await store.value("SELECT due_at - now() FROM effects WHERE kind = 'rewrite'")
    assert timedelta(seconds=80) < wait <= timedelta(seconds=90)


async def test_progress_takes_only_spare_slots(store: Store):
    job_id = await store.running(create(status=50))
    await store.report(progressed(job_id, 40))
    await store.run("UPDATE pacing SET tat = now() + interval '1 s' WHERE key = 'chat:shop:7'")
    before = len(store.offered)

    await store.effects.claim_due(300)

    assert not [row for row in store.offered[before:] if row.subject == "deliveries.requested"]
    effect = (await store.fetch("SELECT * FROM effects WHERE kind = 'progress'"))[0]
    assert (effect["state"], effect["queued"]) == ("pending", False)
    assert await store.value("SELECT count(*) FROM pacing WHERE tail IS NOT NULL") == 0


async def test_a_migrated_group_forgets_what_was_unclear(store: Store):
    job_id = await store.running(create(chat_id=-5, status=50))
    await store.report(progressed(job_id, 40))
    (edit,) = await store.deliveries("rewrite")
    await store.delivered(edit, Migrated(chat_id=-1_005))
    job = await store.job(job_id)
    assert (job.chat_id, job.status_message_id) == (-1_005, None)


# -- learned times -----------------------------------------------------------------------------------


async def took(store: Store, *seconds: float, model: str = "m", days_ago: int = 0) -> None:
    for each in seconds:
        await store.run(
            "INSERT INTO durations VALUES ('market', 'generate', $1, $2, now() - $3::interval)",
            model,
            each,
            timedelta(days=days_ago),
        )


@pytest.fixture
def durations(store: Store) -> Durations:
    return Durations(database(store))


def database(store: Store) -> Database:
    return store.database


async def test_how_long_it_takes_is_learned_from_half_and_from_nine_in_ten(
    store: Store, durations: Durations
):
    await took(store, *range(40, 140, 10))
    await durations.learn()
    usual = durations.usual("market", "generate", "m")
    assert usual.expected == timedelta(seconds=85)
    assert usual.late == timedelta(seconds=121)


async def test_too_few_or_too_old_ones_teach_nothing(store: Store, durations: Durations):
    await took(store, 1, 2, 3, 4)
    await took(store, *[9] * 10, model="old", days_ago=8)
    await durations.learn()
    for model in ("m", "old", "unheard"):
        assert durations.usual("market", "generate", model) == Usual(expected=None, late=LATE)


async def test_only_the_newest_of_each_kind_are_kept(
    store: Store, durations: Durations, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("job_store.store.durations.NEWEST", 3)
    await took(store, 1, 2, 3, days_ago=2)
    await took(store, 4, 5)
    await took(store, 6, model="other")
    await durations.learn()
    kept = await store.fetch("SELECT seconds FROM durations ORDER BY seconds")
    assert [row["seconds"] for row in kept][-3:] == [4, 5, 6]
    assert len(kept) == 4


async def test_a_duration_is_written_with_the_success_of_a_job_we_submitted(store: Store):
    job_id = await store.running()
    await store.run("UPDATE jobs SET created_at = now() - interval '42 s'")
    await store.report(callback(job_id), callback(job_id))
    rows = await store.fetch("SELECT model, seconds FROM durations")
    assert [(row["model"], round(row["seconds"])) for row in rows] == [("nano-banana-2", 42)]

    expected = await store.made(expect())
    await store.report(callback(expected))
    await store.made(deliver())
    assert await store.value("SELECT count(*) FROM durations") == 1


async def test_a_result_after_our_expiry_teaches_nothing(store: Store):
    job_id = await store.running()
    await store.run("UPDATE jobs SET expires_at = now() - interval '1 s'")
    await store.effects.expire_jobs(10)
    await store.report(callback(job_id))
    assert await store.value("SELECT count(*) FROM durations") == 0


# -- creation ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_", [create(status=50), expect(), deliver(mode="send", media=images(2))]
)
async def test_a_new_job_is_answered_as_it_was_stored(store: Store, request_):
    (made,) = await store.creations.create([Creation("shop", request_)])
    assert isinstance(made, Created)
    assert made.view == (await store.job(made.job_id)).model_copy(update={"created": True})


async def test_a_new_job_needs_no_second_look(store: Store, monkeypatch: pytest.MonkeyPatch):
    verbs = BotVerbs(store.creations, store.requests, store.effects)
    looks: list[list[UUID]] = []
    read = store.requests.views

    async def counted(job_ids: list[UUID]) -> dict[UUID, JobView]:
        looks.append(job_ids)
        return await read(job_ids)

    monkeypatch.setattr(store.requests, "views", counted)
    request = create(key="tap")

    first = await verbs.create("shop", request)
    assert looks == []
    again = await verbs.create("shop", request)

    assert isinstance(first, JobView)
    assert isinstance(again, JobView)
    assert len(looks) == 1
    assert (first.created, again.created, first.id == again.id) == (True, False, True)


@pytest.mark.parametrize(
    "request_,digest",
    [
        (create(key="tap", price=300, caption="two cats"), "3baf1b769c52bb9a"),
        (expect(key="tap"), "3e2a41cc4950ce7b"),
    ],
)
def test_the_digest_of_an_old_request_is_what_it_was(request_, digest: str):
    """A key used before fields were added still names the same job."""
    sent_before = request_.model_copy(update={"status": "auto"})
    assert Creation("shop", sent_before).digest.startswith(digest)


# -- bots --------------------------------------------------------------------------------------------


async def set_texts(store: Store, slug: str = "shop", **texts: str) -> BotView | Refusal:
    return await store.ops.set_texts(SetTexts(slug=slug, texts=texts, not_after=LATER))


async def test_a_bots_own_texts_are_replaced_and_read(store: Store):
    await set_texts(store, status="old", pointer="Done")
    view = await set_texts(store, status="At work on {label}", pointer="")
    assert isinstance(view, BotView)
    assert view.texts == {"status": "At work on {label}"}
    assert (await store.ops.list_bots()).bots[0].texts == view.texts

    await store.made(create(status="auto"))
    (status,) = await store.deliveries("post_status")
    assert status.action.text.startswith("At work on ")


@pytest.mark.parametrize(
    "slug,texts,code",
    [
        ("shop", {"statsu": "x"}, RefusalName.INVALID_REQUEST),
        ("shop", {"status": "{lable}"}, RefusalName.INVALID_REQUEST),
        ("nobody", {"status": "x"}, RefusalName.UNKNOWN_BOT),
    ],
)
async def test_texts_that_do_not_fit_change_nothing(
    store: Store, slug: str, texts: dict[str, str], code: RefusalName
):
    await set_texts(store, status="kept")
    answer = await set_texts(store, slug, **texts)
    assert isinstance(answer, Refusal)
    assert answer.code is code
    assert (await store.ops.list_bots()).bots[0].texts == {"status": "kept"}


@pytest.mark.postgres
async def test_a_rich_bot_shows_pictures_in_one_message(store: Store):
    ask = AddBot(slug="shop", rich=True, staging_chat=STAGING, not_after=LATER)
    view = await store.ops.add_bot(ask)
    assert (view.rich, view.staging_chat) == (True, STAGING)
    job_id = await store.succeeded(media=4)
    (show,) = await store.deliveries("show")
    assert len(show.action.content.items) == 4
    assert show.action.carrier.text.startswith("Ready: 4 files")
    message = await store.value("SELECT message -> 'media' FROM events WHERE event = 'succeeded'")
    assert len(message) == 4
    await store.carried(show.attempt.id, 100)
    await store.delivered(show, Shown(message_id=100))
    assert (await store.job(job_id)).state is JobState.DELIVERED


async def test_an_outcome_nobody_knows_the_attempt_of_is_kept_and_moves_nothing(store: Store):
    await album(store)
    (ask,) = await store.deliveries("send")
    stranger = ask.model_copy(update={"attempt": ask.attempt.model_copy(update={"id": uuid4()})})
    (settled,) = await store.effects.apply_deliveries(
        [delivery_outcome(stranger, NotSent(reason="from before the restore"))]
    )
    assert not settled.moved
    assert await store.value("SELECT count(*) FROM evidence WHERE NOT moved") == 1
