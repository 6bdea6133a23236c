"""What bytes are and become: films, pictures, notes, names, formatted runs."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.deliveries import Content
from contracts.markup import Entity
from contracts.values import MediaKind
from deliverer.domain import boxes, midi, naming, pictures, sniff
from deliverer.domain.bodies import MediaBody, Way, body, upload_shape
from deliverer.domain.files import File, named, written
from deliverer.domain.midi_programs import PROGRAMS, is_drums, program_of
from deliverer.domain.pictures import Size
from deliverer.domain.runs import runs
from deliverer.domain.sniff import Shape
from deliverer.domain.ways import first_way
from deliverer_media import GIF, JPEG, MP3, OPUS, PNG, film, picture

NOTES = [
    {
        "name": "Drums",
        "notes": [
            {"pitch": 73, "start": "0.036458333333333336", "end": "0.18", "velocity": 1},
            {"pitch": 61, "start": 0.046875, "end": "0.19", "velocity": 0.5},
        ],
    },
    {
        "name": "Electric Bass (finger)",
        "notes": [{"pitch": 44, "start": 7.6875, "end": "7.911458333333333", "velocity": 0}],
    },
]

# -- films and pictures --------------------------------------------------------


@pytest.mark.parametrize(
    "content, silent",
    [
        (film(b"vide"), True),
        (film(b"vide", b"soun"), False),
        (film(b"soun"), False),
        (film(), False),
        (b"\0\0\0\x18ftypisom", False),
        (b"", False),
    ],
)
def test_a_film_is_silent_only_when_its_boxes_say_so(content, silent):
    assert boxes.is_silent(content) is silent


@given(st.binary(max_size=200))
def test_no_bytes_confuse_the_readers(noise):
    boxes.is_silent(b"\0\0\0\x08moov" + noise)
    pictures.measure(noise)
    pictures.measure(b"\xff\xd8" + noise)
    pictures.measure(b"RIFF\0\0\0\0WEBP" + noise)


@pytest.mark.parametrize(
    "kind, content, shape",
    [
        (MediaKind.IMAGE, PNG, Shape.PHOTO),
        (MediaKind.IMAGE, GIF, Shape.ANIMATION),
        (MediaKind.IMAGE, film(b"vide"), Shape.ANIMATION),
        (MediaKind.ANIMATION, GIF, Shape.ANIMATION),
        (MediaKind.ANIMATION, film(b"vide"), Shape.ANIMATION),
        (MediaKind.ANIMATION, film(b"vide", b"soun"), Shape.VIDEO),
        (MediaKind.VIDEO, film(b"vide"), Shape.VIDEO),
        (MediaKind.VIDEO, film(b"vide", b"soun"), Shape.VIDEO),
        (MediaKind.AUDIO, OPUS, Shape.AUDIO),
        (MediaKind.FILE, PNG, Shape.DOCUMENT),
        (MediaKind.FILE, GIF, Shape.DOCUMENT),
    ],
)
def test_the_kind_asked_for_and_the_bytes_choose_the_shape(kind, content, shape):
    found = sniff.file_type(content[: sniff.HEAD], content_type="", url="https://x.example/a")

    assert sniff.shape_of(kind, found, content) is shape


@pytest.mark.parametrize(
    "content, size",
    [
        (PNG, Size(1, 1)),
        (picture(4000, 3000), Size(4000, 3000)),
        (JPEG, Size(3, 2)),
        (b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + bytes([9, 0, 0, 4, 0, 0]), Size(10, 5)),
        (b"RIFF\0\0\0\0WEBPVP8 \x0a\0\0\0\0\0\0\x9d\x01\x2a" + bytes([8, 0, 6, 0]), Size(8, 6)),
        (b"RIFF\0\0\0\0WEBPVP8L\x0a\0\0\0\x2f\x07\x40\x01\0\0\0\0\0\0", Size(8, 6)),
        (b"GIF89a", None),
    ],
)
def test_a_picture_says_its_measures(content, size):
    assert pictures.measure(content) == size


@pytest.mark.parametrize(
    "width, height, shape",
    [
        (4000, 3000, Shape.PHOTO),
        (9000, 1001, Shape.DOCUMENT),
        (2000, 100, Shape.PHOTO),
        (2001, 100, Shape.DOCUMENT),
    ],
)
def test_a_picture_telegram_takes_for_no_photo_is_a_document(width, height, shape):
    file = File("result.png", picture(width, height), Shape.PHOTO)

    assert upload_shape(MediaKind.IMAGE, file) is shape


@pytest.mark.parametrize(
    "name, content, kind, shape",
    [
        ("result.ogg", OPUS, MediaKind.VOICE, Shape.VOICE),
        ("result.mp3", MP3, MediaKind.VOICE, Shape.VOICE),
        ("result.ogg", b"OggS" + bytes(60), MediaKind.VOICE, Shape.AUDIO),
        ("result.ogg", OPUS, MediaKind.AUDIO, Shape.AUDIO),
    ],
)
def test_only_what_telegram_plays_as_a_voice_is_one(name, content, kind, shape):
    assert upload_shape(kind, File(name, content, Shape.AUDIO)) is shape


def test_a_link_to_a_gif_is_asked_for_as_an_animation():
    content = Content(kind=MediaKind.IMAGE, url="https://x.example/a.gif?t=1")

    assert body(content, Way.URL) == MediaBody(Shape.ANIMATION, content.url)


# -- notes ---------------------------------------------------------------------


def tracks(content: bytes) -> list[bytes]:
    """Cut a MIDI file into its chunks, checking every length."""
    assert content[:8] == b"MThd\0\0\0\x06"
    found, at = [], 14
    while at < len(content):
        assert content[at : at + 4] == b"MTrk"
        length = int.from_bytes(content[at + 4 : at + 8])
        found.append(content[at + 8 : at + 8 + length])
        at += 8 + length
    assert at == len(content)
    assert len(found) == int.from_bytes(content[10:12])
    return found


def test_notes_become_a_midi_file():
    tempo, drums, bass = tracks(midi.midi_file(json.dumps(NOTES)))

    assert tempo.endswith(b"\x00\xff\x2f\x00")
    # At 960 ticks a second: on at 35 and 45, off at 173 and 182; strings are numbers, too.
    assert b"\x23\x99\x49\x7f\x0a\x99\x3d\x40\x81\x00\x99\x49\x00\x09\x99\x3d\x00" in drums
    # Program 33 on the first melodic channel; a velocity of 0 would end what it should begin.
    assert b"\x00\xc0\x21" in bass
    assert b"\x90\x2c\x01" in bass


def test_the_same_notes_are_the_same_bytes_whatever_is_around_them():
    bare = midi.midi_file(json.dumps(NOTES))

    assert midi.midi_file(json.dumps({"instruments": NOTES})) == bare
    assert midi.midi_file(json.dumps({"midiData": {"instruments": NOTES}})) == bare


@pytest.mark.parametrize(
    "body_",
    [
        "",
        "not json",
        "[]",
        "{}",
        '{"instruments": []}',
        '{"instruments": [{"name": "Drums", "notes": []}]}',
        '{"instruments": [{"name": "Drums"}]}',
        '[{"name": "x", "notes": [{"pitch": 200, "start": 0, "end": 1}]}]',
        '[{"name": "x", "notes": [{"pitch": 60, "start": "soon", "end": 1}]}]',
        '[{"name": "x", "notes": [{"pitch": 60, "start": 1e999, "end": 1}]}]',
        "[" * 5000,
    ],
)
def test_what_cannot_be_played_stays_what_the_provider_wrote(body_):
    content = Content(kind=MediaKind.MIDI, body=body_, name="melody.mid")

    assert written(content) == File("melody.json", body_.encode(), Shape.DOCUMENT)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "pitch": st.integers(0, 127),
                "start": st.floats(0, 300),
                "end": st.floats(0, 300) | st.floats(0, 300).map(str),
                "velocity": st.floats(0, 127),
            }
        ),
        min_size=1,
        max_size=20,
    )
)
def test_any_notes_make_a_well_formed_file(notes):
    content = midi.midi_file(json.dumps([{"name": "Violin", "notes": notes}]))

    (_, track) = tracks(content)
    assert track.endswith(b"\xff\x2f\x00")


def test_general_midi_is_known_by_name():
    assert len(PROGRAMS) == 128
    assert program_of("Acoustic Grand Piano") == 0
    assert program_of("electric bass (Finger)") == 33
    assert program_of("Gunshot") == 127
    assert program_of("nobody's") == 0
    assert is_drums("Drums")
    assert not is_drums("Steel Drums")


# -- names and words -----------------------------------------------------------


@pytest.mark.parametrize(
    "asked, name",
    [
        ("lyrics", "lyrics.txt"),
        ("lyrics.lrc", "lyrics.lrc"),
        ("Песня 1.txt", "Песня 1.txt"),
        ("../../etc/passwd", "etc_passwd.txt"),
        ('a"b\r\nX: y.txt', "a_b_X_ y.txt"),
        ("cat\u202egnp.exe", "cat_gnp.exe"),
        (None, "text.txt"),
        ("...", "text.txt"),
        ("x" * 96 + ".txt", "x" * naming.LONGEST + ".txt"),
    ],
)
def test_a_document_keeps_the_harmless_part_of_its_name(asked, name):
    content = Content(kind=MediaKind.FILE, body="la la", name=asked)

    assert written(content) == File(name, b"la la", Shape.DOCUMENT)


def test_a_fetched_file_gets_the_name_asked_for():
    file = File("result.pdf", b"%PDF", Shape.DOCUMENT)
    content = Content(kind=MediaKind.FILE, url="https://x.example/a.pdf", name="report")

    assert named(content, file).name == "report.pdf"
    assert first_way(content, skip_link=False) is Way.UPLOAD


def test_a_document_of_words_keeps_its_caption():
    content = Content(kind=MediaKind.FILE, body="la la", text="your lyrics")

    assert first_way(content, skip_link=False) is Way.TEXT_FILE
    shown = body(content, Way.TEXT_FILE)
    assert isinstance(shown, MediaBody)
    assert shown.caption == "your lyrics"


entities = st.builds(
    Entity,
    type=st.sampled_from(["bold", "italic"]),
    offset=st.integers(0, 12),
    length=st.integers(1, 12),
)


@given(st.text(alphabet="aя😀", max_size=10), st.lists(entities, max_size=4).map(tuple))
def test_runs_joined_are_the_text(words, formatting):
    found = runs(words, formatting)

    assert "".join(run.text for run in found) == words


def test_nested_formatting_covers_its_runs():
    bold = Entity(type="bold", offset=0, length=5)
    italic = Entity(type="italic", offset=2, length=2)

    found = [
        (run.text, [one.type for one in run.entities]) for run in runs("😀abcd", (bold, italic))
    ]

    assert found == [("😀", ["bold"]), ("ab", ["italic", "bold"]), ("c", ["bold"]), ("d", [])]
