"""Laws of cutting words into messages: nothing lost, nothing too long, formatting where it was."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from contracts.markup import Entity
from job_store.domain.delivery.pieces import Piece, split, units

ALPHABET = "ab.!? \n\n😀é。\t"
texts = st.text(alphabet=ALPHABET, max_size=300)
limits = st.integers(2, 40)


def visible(text: str) -> str:
    return "".join(text.split())


def covered(text: str, entity: Entity) -> str:
    """Return what an entity stands on, by UTF-16 units."""
    raw = text.encode("utf-16-le")[2 * entity.offset : 2 * (entity.offset + entity.length)]
    return raw.decode("utf-16-le")


@st.composite
def formatted(draw: st.DrawFn) -> tuple[str, list[Entity]]:
    """Draw a text with entities on whole characters, nested and crossing."""
    text = draw(texts)
    entities = []
    for kind in draw(st.lists(st.sampled_from(["bold", "italic", "code"]), max_size=3)):
        first = draw(st.integers(0, len(text)))
        last = draw(st.integers(first, len(text)))
        if first < last:
            offset, length = units(text[:first]), units(text[first:last])
            entities.append(Entity(type=kind, offset=offset, length=length))
    return text, entities


@given(texts, limits)
def test_no_piece_is_too_long_or_blank_or_has_edges_to_strip(text: str, limit: int):
    for piece in split(text, limit=limit):
        assert 0 < len(piece.text.encode("utf-16-le")) // 2 <= limit
        assert piece.text == piece.text.strip()


@given(texts, limits)
def test_nothing_visible_is_lost_or_moved(text: str, limit: int):
    assert visible("".join(piece.text for piece in split(text, limit=limit))) == visible(text)


@given(formatted(), limits)
def test_every_entity_stands_on_the_same_words(drawn: tuple[str, list[Entity]], limit: int):
    text, entities = drawn
    pieces = split(text, entities, limit=limit)
    for kind in ("bold", "italic", "code"):
        before = [covered(text, entity) for entity in entities if entity.type == kind]
        after = [covered(p.text, e) for p in pieces for e in p.entities if e.type == kind]
        assert sorted(visible("".join(before))) == sorted(visible("".join(after)))


@given(formatted(), limits)
def test_no_entity_reaches_out_of_its_piece(drawn: tuple[str, list[Entity]], limit: int):
    for piece in split(*drawn, limit=limit):
        for entity in piece.entities:
            assert entity.offset >= 0
            assert entity.offset + entity.length <= units(piece.text)


@given(st.lists(st.text(alphabet="abc", min_size=1, max_size=9), max_size=40), st.integers(10, 30))
def test_a_word_that_fits_is_never_cut(words: list[str], limit: int):
    pieces = split(" ".join(words), limit=limit)
    assert [word for piece in pieces for word in piece.text.split()] == words


@pytest.mark.parametrize(
    "text,first",
    [
        ("one two.\n\nthree. four\nfive six", "one two."),
        ("one. two\nthree four. five six", "one. two"),
        ("one two. three four five six", "one two."),
        ("one two three four five six", "one two three"),
        ("onetwothreefourfivesix", "onetwothreefour"),
    ],
)
def test_a_cut_stands_at_the_end_of_paragraph_line_sentence_word_in_that_order(
    text: str, first: str
):
    assert split(text, limit=15)[0].text == first


def test_an_early_paragraph_does_not_make_a_tiny_message():
    assert split("Title\n\n" + "word " * 20, limit=50)[0].text.startswith("Title\n\nword")


def test_a_cut_never_falls_inside_a_character():
    assert [piece.text for piece in split("😀" * 4, limit=5)] == ["😀😀", "😀😀"]


def test_an_entity_that_crosses_a_cut_stands_in_both_pieces():
    bold = Entity(type="bold", offset=4, length=9)
    assert split("one  two four five", [bold], limit=9) == [
        Piece("one  two", (bold.model_copy(update={"length": 4}),)),
        Piece("four five", (bold.model_copy(update={"offset": 0, "length": 4}),)),
    ]
