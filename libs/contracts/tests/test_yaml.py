"""Laws of the YAML writer: what it writes is read as what was meant, by readers of 1.1 and 1.2 alike."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from contracts.documents import yaml

NOT_PLAIN = [
    "", " a", "a ", "a  b", "yes", "No", "on", "null", "~", "y", "1", "1.5", "1e3", "0x1f", "2026-11-24", "12:30:00",
    "a: b", "a #b", "#a", "- a", "-", "[a]", "{a}", "&a", "*a", "!a", "|", ">", "%a", "@a", "`a", "'a'", '"a"', "a\tb",
    "a\u2028b", "a:", "?", "=", ".inf", "...", "---", "<<",
]  # fmt: skip
PLAIN = ["a", "a b", "$ref", "reports.received", "application/json", "x-jetstream", "KIE's"]


@pytest.mark.parametrize("word", NOT_PLAIN)
def test_what_could_mean_something_else_is_quoted(word: str) -> None:
    written = yaml.dump({"a": word})

    assert written.startswith('a: "')
    assert json.loads(written.removeprefix("a: ")) == word
    assert len(written.splitlines()) == 1


@pytest.mark.parametrize("word", PLAIN)
def test_a_plain_word_stands_plain_as_value_and_as_key(word: str) -> None:
    assert yaml.dump({"a": word}) == f"a: {word}\n"
    assert yaml.dump({word: 1}) == f"{word}: 1\n"


@settings(deadline=None)
@given(st.text())
def test_any_text_is_plain_words_or_a_json_string_or_a_block(text: str) -> None:
    said = yaml.dump({"a": text}).removeprefix("a: ").removesuffix("\n")

    if said.startswith("|-"):
        assert "\n".join(line.removeprefix("  ") for line in said.split("\n")[1:]) == text
    elif said.startswith('"'):
        assert json.loads(said) == text
    else:
        assert said == text
        assert re.fullmatch(r"[$A-Za-z][\w .,/()'-]*", said, re.ASCII)


def test_nesting_is_shown_by_two_blanks() -> None:
    document: dict[str, JsonValue] = {
        "map": {"empty": {}, "none": None, "list": []},
        "list": [{"a": 1, "b": [2, {"c": 3}]}, [4, [5]], "6", True],
        "text": "one\n\ntwo",
    }

    assert (
        yaml.dump(document)
        == """\
map:
  empty: {}
  none: null
  list: []
list:
  - a: 1
    b:
      - 2
      - c: 3
  -
    - 4
    -
      - 5
  - "6"
  - true
text: |-
  one

  two
"""
    )


@settings(deadline=None, max_examples=50)
@given(
    st.dictionaries(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ),
    )
)
def test_a_yaml_reader_reads_what_was_written(document: dict[str, JsonValue]) -> None:
    reader = pytest.importorskip("yaml", reason="comes with openapi-spec-validator")

    assert reader.safe_load(yaml.dump({"it": document})) == {"it": document}
