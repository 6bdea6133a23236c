"""Staging: a file_id from a chat nobody looks at."""

import pytest

from contracts.deliveries import Content, RefusalCode
from contracts.values import MediaKind
from deliverer_asks import CHAT, content_of, digest
from deliverer_media import PNG, film, picture
from testkit.telegram import Kind, Mode

STAGING = -3003


@pytest.fixture
def staging(bench) -> int:
    bench.telegram.add_chat(STAGING, kind="group")
    return STAGING


async def test_a_medium_is_staged_silently_and_its_file_id_told(bench, ask, make, staging):
    image = content_of(
        bench.media, MediaKind.IMAGE, "a.png", PNG, "image/png", text="secret prompt"
    )
    request = ask(make.stage(image, staging))

    outcome = await bench.outcome(request)
    sent = make.send(Content(kind=MediaKind.IMAGE, file_id=outcome.result.file_id))
    shown_later = await bench.outcome(ask(sent))

    (staged,) = bench.telegram.visible(staging)
    assert (staged.notify, staged.text, staged.markup) == (False, "", None)
    assert (outcome.result.kind, outcome.result.message_id) == ("done", staged.message_id)
    assert outcome.part_id == request.action.part_id
    assert shown_later.result.kind == "sent"
    assert bench.telegram.visible(CHAT)[0].digest == digest(PNG)


async def test_a_staged_document_is_shown_though_it_was_asked_for_as_a_picture(
    bench, ask, make, staging
):
    wide = picture(9000, 2000)
    image = content_of(bench.media, MediaKind.IMAGE, "a", wide, "application/octet-stream")
    staged = await bench.outcome(ask(make.stage(image, staging)))
    gone = image.model_copy(
        update={"url": f"{bench.media.url}/gone", "file_id": staged.result.file_id}
    )

    shown = await bench.outcome(ask(make.fresh(gone)))

    assert shown.result.kind == "done"
    (now,) = bench.telegram.visible(CHAT)
    assert (now.kind, now.digest) == (Kind.DOCUMENT, digest(wide))


async def test_a_staging_chat_that_moved_is_not_the_users(bench, ask, make, staging):
    await bench.outcome(ask(make.send(make.text()), chat_id=staging))
    moved = bench.telegram.migrate(staging)
    image = content_of(bench.media, MediaKind.IMAGE, "a.png", PNG, "image/png")

    outcome = await bench.outcome(ask(make.stage(image, staging)))

    assert outcome.result.kind == "done"
    assert bench.telegram.visible(moved)[-1].kind is Kind.PHOTO


async def test_a_busy_staging_chat_does_not_park_the_users(bench, ask, make, staging):
    image = content_of(bench.media, MediaKind.IMAGE, "a.png", PNG, "image/png")
    bench.telegram.faults.plan(Mode.TOO_MANY, "send", chat_id=staging, retry_after=9)

    outcome = await bench.outcome(ask(make.stage(image, staging)))
    users = await bench.outcome(ask(make.send(make.text())))

    assert (outcome.result.kind, outcome.result.scope) == ("later", "effect")
    assert users.result.kind == "sent"


async def test_what_cannot_be_staged_as_a_medium_is_not_staged_as_words(
    bench, ask, make, staging, monkeypatch
):
    monkeypatch.setattr("deliverer.media.download.UPLOAD_BYTES", 10)
    film_ = content_of(bench.media, MediaKind.VIDEO, "a", film(b"vide"), "application/octet-stream")

    outcome = await bench.outcome(ask(make.stage(film_, staging)))

    assert (outcome.result.kind, outcome.result.code) == ("refused", RefusalCode.MEDIA_UNUSABLE)
    assert bench.telegram.visible(staging) == []
