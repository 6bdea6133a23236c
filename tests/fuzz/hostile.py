"""Mutants of a valid message: what a broken, old, malicious or foreign writer might send instead."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random
from typing import Any, Final

DEEP: Final = 2_000  # levels; readers give up below, and must do so politely
MUCH: Final = 300_000  # characters: more than any text of the contracts may have

# A float that JSON has no word for travels as Infinity, -Infinity or NaN.
NUMBERS: Final[tuple[Any, ...]] = (
    0, -1, 1, 2**31, -(2**31), 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**40, 10**400,
    0.5, -0.0, 1e308, 5e-324, float("inf"), float("-inf"), float("nan"), True, False,
)  # fmt: skip
TEXTS: Final[tuple[str, ...]] = (
    "", " ", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\u202e", "x" * 201, "𝕏" * 101, "null",
    "NaN", "1e999", "0", "-1", "http://", "https://", "https://127.0.0.1:9/\x00", "javascript:1",
    "../../etc/passwd", "'; DROP TABLE jobs; --", "{}", "%s%n", "a.b.c", "*", ">", "é" * 65,
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999-23:59", "0001-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z", "99999999999999999999", "2026-01-01T00:00:00",
    "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
)  # fmt: skip
SHAPES: Final[tuple[Any, ...]] = (
    None, [], {}, [None], [[]], {"": None}, {"kind": "done"}, {"\x00": "\x00"}, ["a"] * 1_001,
)  # fmt: skip
NAMES: Final = ("added", "", "\x00", "a\x00b", "__proto__", "id", "kind", "not_after", "v")

Change = Callable[[bytes, Random], bytes]


def _holders(value: Any) -> Iterator[tuple[Any, Any]]:
    """Walk every place of a message: its holder, and its key there."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in list(inner):
        yield value, key
        if isinstance(one, dict | list):
            yield from _holders(one)


def strange(dice: Random) -> Any:
    """Return a value that few fields expect."""
    pool = dice.choice((NUMBERS, TEXTS, SHAPES))
    if dice.random() < 0.03:
        return "x" * MUCH
    # A copy: what is put into one message may be changed there once more.
    return deepcopy(dice.choice(pool))


def _somewhere(change: Callable[[Any, Any, Random], None]) -> Change:
    def changed(raw: bytes, dice: Random) -> bytes:
        message = json.loads(raw)
        for _ in range(dice.choice((1, 1, 2, 3))):
            places = list(_holders(message))
            if places:
                holder, key = dice.choice(places)
                change(holder, key, dice)
        return json.dumps(message).encode()

    return changed


def _replaced(holder: Any, key: Any, dice: Random) -> None:
    holder[key] = strange(dice)


def _missing(holder: Any, key: Any, _dice: Random) -> None:
    del holder[key]


def _unknown(holder: Any, _key: Any, dice: Random) -> None:
    if isinstance(holder, dict):
        holder[dice.choice(NAMES)] = strange(dice)
    else:
        holder.append(strange(dice))


def _wrapped(holder: Any, key: Any, dice: Random) -> None:
    one = holder[key]
    many = [deepcopy(one) for _ in range(300)]
    holder[key] = dice.choice(([one], {"value": one}, json.dumps(one), str(one), many))


def _poisoned(holder: Any, key: Any, dice: Random) -> None:
    """Put into a text what Postgres or UTF-8 cannot hold; only texts, so that it stays valid else."""
    if isinstance(holder[key], str):
        place = dice.randrange(len(holder[key]) + 1)
        holder[key] = holder[key][:place] + dice.choice(("\x00", "\ud83d")) + holder[key][place:]
    elif isinstance(holder[key], int | float):
        holder[key] = dice.choice(NUMBERS)


def _doubled(raw: bytes, dice: Random) -> bytes:
    """Say a field twice in one object, the second time something else."""
    message = json.loads(raw)
    key = dice.choice(list(message))
    again = json.dumps({key: strange(dice)})[1:-1]
    first, rest = raw.rstrip()[:-1], b"}"
    return first + b"," + again.encode() + rest


def _deep(raw: bytes, dice: Random) -> bytes:
    message = json.loads(raw)
    holder, key = dice.choice(list(_holders(message)))
    holder[key] = "DEEP"
    depth = dice.choice((33, 120, DEEP))
    nested = dice.choice(("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth))
    return json.dumps(message).replace('"DEEP"', nested).encode()


def _long_number(raw: bytes, dice: Random) -> bytes:
    message = json.loads(raw)
    holder, key = dice.choice(list(_holders(message)))
    holder[key] = "NUMBER"
    digits = dice.choice(("9" * 5_000, "-" + "1" * 4_301, "1e" + "9" * 400, "0." + "1" * 5_000))
    return json.dumps(message).replace('"NUMBER"', digits).encode()


def _bitten(raw: bytes, dice: Random) -> bytes:
    """Break the bytes themselves."""
    place = dice.randrange(len(raw))
    return dice.choice(
        (
            raw[:place],
            raw[:place] + bytes([dice.randrange(256)]) + raw[place + 1 :],
            raw[:place] + b"\xff\xfe" + raw[place:],
            raw[:place] + b"\xed\xa0\x80" + raw[place:],
            raw[:place] + b"\x00" + raw[place:],
            raw + raw,
            b"\xef\xbb\xbf" + raw,
            raw.decode().encode("utf-16"),
        )
    )


def _nothing_like_it(raw: bytes, dice: Random) -> bytes:
    return dice.choice(
        (b"", b" ", b"null", b"[]", b"{}", b'"text"', b"0", b"\x00", b"\xff" * 64, b"[" * 100_000,
         b'{"a":' * 50_000, raw[:-1] + b" " * MUCH + b"}", b"x" * MUCH)
    )  # fmt: skip


CHANGES: Final[tuple[Change, ...]] = (
    _somewhere(_replaced),
    _somewhere(_missing),
    _somewhere(_unknown),
    _somewhere(_wrapped),
    _somewhere(_poisoned),
    _doubled,
    _deep,
    _long_number,
    _bitten,
    _nothing_like_it,
)


def mutant(raw: bytes, dice: Random) -> bytes:
    """Return the message with one kind of damage."""
    return dice.choice(CHANGES)(raw, dice)


def headers(dice: Random) -> dict[str, str]:
    """Return headers as a hostile or careless writer sets them; most often none."""
    return dice.choice(
        (
            {},
            {},
            {"Nats-Msg-Id": "x" * 8_000},
            {"Nats-Msg-Id": f"fuzz {dice.random()}", "traceparent": "00-zz-zz-zz"},
            {"traceparent": "00-" + "f" * 32 + "-" + "f" * 16 + "-01" * 50},
            {"Content-Type": "application/x-www-form-urlencoded", "X-Note": "é"},
            {"Nats-Rollup": "none", "Status": "503", "Description": "No Responders"},
        )
    )
