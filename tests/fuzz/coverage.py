"""Coverage-guided fuzzing of the callback reader with atheris; a process of its own, `make fuzz` starts it.

libFuzzer ends its process itself, so nothing else may run in it.
"""

import json
import random
import sys
from typing import Any, Final

import atheris

with atheris.instrument_imports(include=["kie", "callback_gateway.domain"]):
    from fuzz import reading

WORD_ODDS: Final = 0.4  # how often a message is changed as JSON instead of as bytes
STRANGE: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 10**30, 1.5, "", "\x00", "\ud800", "https://x.example/a.mp4",
    "http://", "JAVASCRIPT:1", " success ", [], {}, [[]], "{}", '["https://x.example/a"]', '"\\"a\\""',
)  # fmt: skip


def split(data: bytes) -> tuple[bytes, str | None, int]:
    """Take the choice of family and status from the first byte."""
    choice = data[0] if data else 0
    family = reading.FAMILIES[choice % len(reading.FAMILIES)]
    return data[1:], family, reading.STATUSES[choice % len(reading.STATUSES)]


def one_input(data: bytes) -> None:
    raw, family, status = split(data)
    reading.check(raw, family=family, status=status)


def mutated(data: bytes, max_size: int, seed: int) -> bytes:
    """Change a message as JSON now and then: bytes alone seldom stay JSON."""
    dice = random.Random(seed)
    if dice.random() > WORD_ODDS:
        return atheris.Mutate(data, max_size)
    try:
        root = json.loads(data[1:])
        changed = json.dumps(_changed(root, dice, depth=0)).encode()
    except (ValueError, RecursionError):
        return atheris.Mutate(data, max_size)
    return (data[:1] + changed)[:max_size]


def _changed(value: Any, dice: random.Random, *, depth: int) -> Any:
    inner = (
        list(value.keys() if isinstance(value, dict) else range(len(value)))
        if isinstance(value, dict | list)
        else []
    )
    if not inner or dice.random() < 0.15 * depth:
        return dice.choice([*STRANGE, [value], {"data": value}, json.dumps(value), [value, value]])
    key = dice.choice(inner)
    if dice.random() < 0.1:
        del value[key]
    elif isinstance(value, dict) and dice.random() < 0.1:
        value[dice.choice(inner)] = value.pop(key)
    else:
        value[key] = _changed(value[key], dice, depth=depth + 1)
    return value


def main() -> None:
    """Fuzz until libFuzzer's own flags end it."""
    atheris.Setup(sys.argv, one_input, custom_mutator=mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
