"""What came of an attempt; five words that both submitter and deliverer use."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.message import Value
from contracts.values import FailureClass, Line, Seconds, Word


class NotSent(Value):
    """Certainly nothing happened outside; the effect is due again."""

    kind: Literal["not_sent"] = "not_sent"
    reason: Line
    after: Annotated[Seconds, Field(description="wait this long before the next attempt")] = 0


class Later(Value):
    """Certainly nothing happened, and the other side said when to come back."""

    kind: Literal["later"] = "later"
    reason: Line
    after: Seconds
    scope: Annotated[
        Literal["effect", "chat", "bot", "account"], Field(description="how much must wait with it")
    ] = "effect"
    needs_owner: Annotated[
        bool,
        Field(
            description="a person must act (bad key, no credits); the scope is paused and alerted"
        ),
    ] = False


class Ambiguous(Value):
    """It may or may not have happened."""

    kind: Literal["ambiguous"] = "ambiguous"
    reason: Line


class Refused(Value):
    """Certainly not done, and asking again the same way is pointless."""

    kind: Literal["refused"] = "refused"
    code: Word
    reason: Line
    failure: FailureClass | None = None
