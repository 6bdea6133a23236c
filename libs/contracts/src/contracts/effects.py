"""The two questions a worker asks before it acts; request and reply, answered by job-store."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from contracts.message import Value
from contracts.values import MessageId, Moment, Word


class Begin(Value):
    """May I act? Asked before createTask and ``send``, which must not happen twice.

    ``holder`` is new for every handling of a message: the same holder may ask again after a lost
    reply, another holder of the same attempt (a redelivery) is told to stop.
    """

    attempt_id: UUID
    holder: UUID
    not_after: Moment


class Carried(Value):
    """This carrier is posted; may I put the result into it?"""

    attempt_id: UUID
    message_id: MessageId
    not_after: Moment


class Go(Value):
    """Act now. The lease runs from the moment the question was sent, on the asker's own clock."""

    go: Literal[True] = True
    lease: Annotated[float, Field(gt=0, description="seconds")]
    message_id: Annotated[
        MessageId | None,
        Field(description="the carrier to edit, when it is not the one just posted"),
    ] = None


class Stop(Value):
    """Do not act: the attempt is over, taken by another holder, or no longer wanted."""

    go: Literal[False] = False
    reason: Word
