"""Every class of the contracts reads or refuses whatever comes, in bounded time, and raises nothing else."""

import time
from random import Random
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.message import Message, Value
from fuzz import hostile, speech

SECONDS_PER_MIB: Final = 1.0
LEAST_SECONDS: Final = 0.5
DRAWN: Final = 20  # by Hypothesis, for each class; `make fuzz` goes on for as long as one likes
SENT_AT_LEAST: Final = 60

every_class = pytest.mark.parametrize("cls", speech.classes(), ids=lambda cls: cls.__name__)


def written(value: Value) -> bytes:
    return value.model_dump_json(exclude_none=True).encode()


def check(cls: type[Value], raw: bytes) -> bool:
    """Read it; True when it was read, False when it was refused as documented."""
    read = cls.read if issubclass(cls, Message) else cls.model_validate_json
    began = time.process_time()
    try:
        heard = read(raw)
    except ValidationError:
        heard = None
    spent = time.process_time() - began
    assert spent <= LEAST_SECONDS + SECONDS_PER_MIB * len(raw) / 2**20
    if heard is None:
        return False
    again = read(written(heard))
    assert again == heard, "another message arrives than was sent"
    assert "\\u0000" not in written(heard).decode(), "Postgres refuses this text"
    return True


@every_class
@settings(max_examples=DRAWN, deadline=None)
@given(dice=st.randoms(use_true_random=False), which=st.integers(0))
def test_a_mutant_is_read_as_it_will_be_written_or_refused(
    cls: type[Value], dice: Random, which: int
) -> None:
    samples = speech.samples_of(cls)

    check(cls, hostile.mutant(samples[which % len(samples)], dice))


@every_class
def test_a_long_run_of_mutants_changes_nothing(cls: type[Value], effort, tell) -> None:
    dice = Random(f"{effort.seed} {cls.__name__}")
    samples = speech.samples_of(cls)
    until = time.monotonic() + (effort.seconds or 0) / len(speech.classes())
    sent = read = 0
    while sent < SENT_AT_LEAST or time.monotonic() < until:
        raw = hostile.mutant(dice.choice(samples), dice)
        read += check(cls, raw)
        sent += 1

    # Else the mutants are too wild, or too tame, to say anything.
    assert 0 < read < sent
    tell(f"{cls.__name__}: {sent} mutants, {read} read, {sent - read} refused")
