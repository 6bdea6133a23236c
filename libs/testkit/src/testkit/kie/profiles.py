"""Fault profiles: how often each fault is drawn, and the draw itself, a pure function of a seed."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from testkit.kie.plans import CreateAnswer, Garbage, Plan

FAILURES = (
    (400, "Your prompt was flagged as violating content policies."),
    (451, "Unable to download the input file from the provided URL"),
    (500, "internal error, please try again later."),
    (501, "Generation failed"),
)
LOST_ANSWERS = (
    CreateAnswer.CLOSED,
    CreateAnswer.HANGS,
    CreateAnswer.HTTP_502,
    CreateAnswer.ENVELOPE_500,
    CreateAnswer.TRUNCATED,
)
REJECTIONS = (429, 429, 455, 500)
SLOWER = 5.0  # a slow task takes up to so many times the longest usual duration


class Profile(StrEnum):
    """How hostile this KIE is."""

    NONE = "none"
    LIGHT = "light"
    HARD = "hard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Odds:
    """The chance of each fault for one task; the faults are drawn independently."""

    fails: float = 0.0
    slow: float = 0.0
    rejected: float = 0.0
    lost_answer: float = 0.0
    callback_before_answer: float = 0.0
    copies: float = 0.0
    out_of_order: float = 0.0
    silent: float = 0.0
    late: float = 0.0
    garbage: float = 0.0
    wrong_signature: float = 0.0
    unseen: float = 0.0
    poll_error: float = 0.0


ODDS = {
    Profile.NONE: Odds(),
    Profile.LIGHT: Odds(
        fails=0.10,
        slow=0.05,
        rejected=0.03,
        lost_answer=0.02,
        callback_before_answer=0.05,
        copies=0.10,
        out_of_order=0.05,
        silent=0.03,
        late=0.05,
        garbage=0.03,
        wrong_signature=0.02,
        unseen=0.10,
        poll_error=0.05,
    ),
    Profile.HARD: Odds(
        fails=0.10,
        slow=0.10,
        rejected=0.15,
        lost_answer=0.10,
        callback_before_answer=0.20,
        copies=0.40,
        out_of_order=0.25,
        silent=0.20,
        late=0.20,
        garbage=0.15,
        wrong_signature=0.10,
        unseen=0.30,
        poll_error=0.25,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """How long a generation usually takes, in seconds."""

    shortest: float = 0.05
    longest: float = 1.5


def draw_plan(*, odds: Odds, durations: Durations, dice: Random) -> Plan:
    """One task's fate. Every field takes its dice in turn, so odds of one do not shift another."""
    usual, slow = _seconds(dice, durations)
    code, message = dice.choice(FAILURES)
    rejections, rejection = dice.randint(1, 2), dice.choice(REJECTIONS)
    answer, garbage = dice.choice(LOST_ANSWERS), dice.choice(tuple(Garbage))
    copies, parallel = dice.randint(2, 4), dice.random() < 1 / 2
    delay = dice.uniform(0, 2 * durations.longest)
    is_slow = dice.random() < odds.slow
    early = dice.random() < odds.callback_before_answer

    def happens(chance: float) -> bool:
        return dice.random() < chance

    return Plan(
        name="drawn",
        fails=happens(odds.fails),
        fail_code=code,
        fail_message=message,
        seconds=0.0 if early else (slow if is_slow else usual),
        reject_creates=rejections if happens(odds.rejected) else 0,
        reject_code=rejection,
        create_answer=answer if happens(odds.lost_answer) else CreateAnswer.OK,
        callback_before_answer=early,
        copies=copies if happens(odds.copies) else 1,
        parallel=parallel,
        out_of_order=happens(odds.out_of_order),
        calls_back=not happens(odds.silent),
        callback_delay=delay if happens(odds.late) else 0.0,
        garbage=garbage if happens(odds.garbage) else None,
        wrong_signatures=1 if happens(odds.wrong_signature) else 0,
        unseen_polls=1 if happens(odds.unseen) else 0,
        poll_errors=1 if happens(odds.poll_error) else 0,
    )


def _seconds(dice: Random, durations: Durations) -> tuple[float, float]:
    usual = dice.uniform(durations.shortest, durations.longest)
    slow = dice.uniform(durations.longest, SLOWER * durations.longest)
    return usual, slow
