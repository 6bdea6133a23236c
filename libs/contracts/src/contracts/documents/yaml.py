"""JSON values as YAML that people read: block style, quoted wherever a plain word could mean something else."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import JsonValue

# Whatever else YAML 1.1 or 1.2 may take for a number, a date, a comment or a mark is quoted.
_PLAIN: Final = re.compile(r"\$?[A-Za-z](?:[A-Za-z0-9_.,/()'-]|(?<! ) (?! )(?=.))*")
_RESERVED: Final = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
_LITERAL: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?(?:\n+[!-~](?:[ -~]*[!-~])?)+")
_STEP: Final = "  "


def dump(document: Mapping[str, JsonValue]) -> str:
    """Return the whole document; the same document gives the same text."""
    return "".join(f"{line}\n" for line in _mapping(document, ""))


def _mapping(value: Mapping[str, JsonValue], pad: str) -> Iterator[str]:
    for name, item in value.items():
        yield from _entry(f"{pad}{_word(name)}:", item, pad)


def _entry(head: str, item: JsonValue, pad: str) -> Iterator[str]:
    match item:
        case dict() if item:
            yield head
            yield from _mapping(item, pad + _STEP)
        case list() if item:
            yield head
            yield from _sequence(item, pad + _STEP)
        case str() if _LITERAL.fullmatch(item):
            yield f"{head} |-"
            yield from ((pad + _STEP + line).rstrip() for line in item.split("\n"))
        case _:
            yield f"{head} {_scalar(item)}"


def _sequence(items: list[JsonValue], pad: str) -> Iterator[str]:
    for item in items:
        if isinstance(item, dict) and item:
            first, *rest = _mapping(item, pad + _STEP)
            yield f"{pad}- {first.lstrip()}"
            yield from rest
        elif isinstance(item, list) and item:
            yield f"{pad}-"
            yield from _sequence(item, pad + _STEP)
        else:
            yield f"{pad}- {_scalar(item)}"


def _scalar(value: JsonValue) -> str:
    if isinstance(value, str):
        return _word(value)
    return json.dumps(value, allow_nan=False)


def _word(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    # A JSON string is a double-quoted YAML one, but for characters that YAML wants escaped.
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(
        one if one.isprintable() or one > "\uffff" else f"\\u{ord(one):04x}" for one in quoted
    )
