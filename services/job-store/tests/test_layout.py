"""Which messages a result becomes: albums, collages, documents, captions and buttons."""

from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from case_world import SHOP, job_of
from contracts.markup import Button
from contracts.reports import ReportedMedia
from contracts.values import MediaKind, label
from job_store.domain.delivery.layout import Draft, lay_out, showable
from job_store.domain.rows import Bot, Job
from store_kit import create

RICH = replace(SHOP, rich=True)
BUTTONS = ((Button(text="Again", data="again"),),)
LONG = "word " * 300
kinds = st.lists(st.sampled_from(MediaKind), min_size=1, max_size=30)


def medium(kind: str, n: int = 0) -> ReportedMedia:
    if kind in ("text", "midi"):
        return ReportedMedia(kind=MediaKind(kind), text=f"words {n}")
    return ReportedMedia(kind=MediaKind(kind), url=f"https://files.example/{n}.bin")


def laid(*media: str | ReportedMedia, bot: Bot = SHOP, **fields: Any) -> list[Draft]:
    given_media = [m if isinstance(m, ReportedMedia) else medium(m, n) for n, m in enumerate(media)]
    return lay_out(bot, job(**fields), given_media)


def job(**fields: Any) -> Job:
    return job_of(create(**fields))


def albums(drafts: list[Draft]) -> list[list[MediaKind]]:
    """Return what is sent together, message by message."""
    groups: list[list[Draft]] = []
    for draft in drafts:
        if groups and draft.album is not None and draft.album == groups[-1][0].album:
            groups[-1].append(draft)
        else:
            groups.append([draft])
    return [[draft.kind for draft in group] for group in groups]


# -- kinds -------------------------------------------------------------------------------------------


def test_words_of_a_document_become_one_document_with_a_name():
    file = ReportedMedia(kind=MediaKind.FILE, text="la la", name="lyrics.txt")
    notes = ReportedMedia(kind=MediaKind.MIDI, text='{"instruments":[]}')
    asked = job()
    first, second = lay_out(SHOP, asked, [file, notes])
    assert (first.kind, first.body, first.name) == (MediaKind.FILE, "la la", "lyrics.txt")
    assert (second.kind, second.name) == (MediaKind.MIDI, f"job-{label(asked.id)}-2.mid")


@pytest.mark.parametrize(
    "kind,fields,shown",
    [
        ("audio", {"mode": "send", "voice": True}, MediaKind.VOICE),
        ("audio", {"mode": "send"}, MediaKind.AUDIO),
        ("voice", {"mode": "send"}, MediaKind.VOICE),
        ("voice", {"mode": "edit"}, MediaKind.AUDIO),
    ],
)
def test_a_voice_note_is_one_only_where_it_is_sent(kind: str, fields: dict[str, Any], shown: str):
    assert [draft.kind for draft in laid(kind, **fields)] == [shown]


@given(kinds)
def test_whatever_is_showable_is_laid_out_and_nothing_else(drawn: list[MediaKind]):
    blank = [ReportedMedia(kind=kind, text=" \n") for kind in drawn]
    assert not showable(blank)
    assert not lay_out(SHOP, job(caption="two cats"), blank)
    assert showable([*blank, medium("image")])


# -- captions and buttons ----------------------------------------------------------------------------


def test_a_caption_stands_on_the_first_medium_and_buttons_below_the_first_message():
    for mode in ("edit", "send"):
        media = ["text", "image", "image"]
        text, image, _ = laid(*media, mode=mode, caption="two cats", buttons=BUTTONS)
        assert (text.text, text.buttons) == ("words 0", BUTTONS)
        assert (image.text, image.buttons) == ("two cats", ())


def test_a_long_caption_is_a_text_of_its_own_right_after_the_first_medium():
    drafts = laid("image", "image", caption=LONG, buttons=BUTTONS)
    assert [draft.kind for draft in drafts] == ["image", "text", "image"]
    assert [draft.text for draft in drafts] == ["", LONG.strip(), ""]
    assert drafts[0].buttons == BUTTONS


def test_a_caption_is_measured_in_utf_16_units():
    assert len(laid("image", caption="😀" * 512)) == 1
    assert len(laid("image", caption="😀" * 513)) == 2


def test_the_caption_of_words_alone_stands_before_them():
    assert [draft.text for draft in laid("text", caption="Your lyrics:")] == [
        "Your lyrics:",
        "words 0",
    ]


# -- originals and collages --------------------------------------------------------------------------


def test_originals_are_untouched_files_after_all_others():
    picture = ReportedMedia(kind=MediaKind.IMAGE, url="https://files.example/a/cat%201.png?sig=1")
    nameless = ReportedMedia(kind=MediaKind.VIDEO, url="https://files.example/7f3k2")
    asked = job(originals=True)
    drafts = lay_out(SHOP, asked, [picture, nameless, medium("audio")])
    assert [draft.kind for draft in drafts] == ["image", "video", "audio", "file", "file"]
    assert [draft.url for draft in drafts[3:]] == [picture.url, nameless.url]
    assert [draft.name for draft in drafts[3:]] == ["cat 1.png", f"job-{label(asked.id)}-2.mp4"]


def test_pictures_of_a_rich_bot_are_one_message():
    drafts = laid("audio", "image", "text", "video", bot=RICH, caption="c", originals=True)
    assert [draft.kind for draft in drafts] == ["audio", "image", "text", "file", "file"]
    assert [item.kind for item in drafts[1].items] == ["image", "video"]


@pytest.mark.parametrize(
    "media,fields",
    [(["image"], {}), (["image", "image"], {"mode": "send"}), (["image", "audio"], {})],
)
def test_no_collage_of_one_picture_nor_where_it_is_sent(media: list[str], fields: dict[str, Any]):
    assert not any(draft.items for draft in laid(*media, bot=RICH, **fields))


def test_a_collage_holds_fifty_at_most():
    assert [len(draft.items) for draft in laid(*["image"] * 101, bot=RICH)] == [50, 50, 0]


# -- albums ------------------------------------------------------------------------------------------


@given(kinds, st.booleans(), st.sampled_from(["", "c", LONG]), st.sampled_from([(), BUTTONS]))
def test_albums_are_runs_of_what_telegram_lets_stand_together(drawn, voice, caption, buttons):
    drafts = laid(
        *[kind.value for kind in drawn],
        mode="send",
        voice=voice,
        caption=caption,
        buttons=buttons,
        originals=True,
    )
    families = [{"image", "video"}, {"audio"}, {"file", "midi"}]
    for group in albums(drafts):
        assert len(group) <= 10
        assert len(group) == 1 or any(set(group) <= family for family in families), group
    alone = [draft for draft in drafts if draft.album is None]
    assert all(not draft.buttons or draft in alone for draft in drafts)
    assert sum(bool(draft.buttons) for draft in drafts) == bool(buttons)
    assert all(draft.album is None for draft in laid(*[kind.value for kind in drawn]))


def test_a_run_is_as_long_as_it_can_be():
    media = ["image", "video", "image", "audio", "audio", "animation", "file", "midi", "voice"]
    assert [len(group) for group in albums(laid(*media, mode="send"))] == [3, 2, 1, 2, 1]
    assert [len(group) for group in albums(laid(*["image"] * 21, mode="send"))] == [10, 10, 1]


def test_an_albums_caption_stands_on_its_first_item():
    drafts = laid("image", "image", mode="send", caption="two cats")
    assert [draft.text for draft in drafts] == ["two cats", ""]


def test_buttons_of_an_album_stand_below_the_words_after_it():
    drafts = laid("image", "image", "audio", mode="send", caption="two cats", buttons=BUTTONS)
    assert [draft.kind for draft in drafts] == ["image", "image", "text", "audio"]
    assert (drafts[2].text, drafts[2].buttons) == ("two cats", BUTTONS)
    nothing_to_say = laid("image", "image", mode="send", buttons=BUTTONS)
    assert nothing_to_say[2].text.startswith("Ready: 2 files")


def test_a_long_caption_does_not_part_an_album():
    drafts = laid("image", "image", "audio", mode="send", caption=LONG)
    assert albums(drafts) == [["image", "image"], ["text"], ["audio"]]
