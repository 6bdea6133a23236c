"""What every message on the bus has in common."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.values import Clean, Moment

SCHEMA_VERSION = 1


class Value(BaseModel):
    """A part of a message: frozen, deaf to fields a newer writer added, its numbers finite."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Message(Value):
    """A message with a stable id; the same id always means the same fact."""

    id: Annotated[
        Clean, Field(min_length=8, max_length=128, description="equals the Nats-Msg-Id header")
    ]
    v: Annotated[int, Field(ge=1, description="schema version of the writer")] = SCHEMA_VERSION
    at: Moment
    trace: Annotated[Clean | None, Field(max_length=55, description="W3C traceparent")] = None

    def wire(self) -> bytes:
        """Return the bytes that travel."""
        return self.model_dump_json(exclude_none=True).encode()

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Read a message; raises ``pydantic.ValidationError`` and nothing else."""
        return cls.model_validate_json(raw)


class Attempt(Value):
    """The right to act once on one effect: a fencing token with a lease."""

    id: UUID
    no: Annotated[int, Field(ge=1, description="1 for the first attempt of its effect")]
    lease: Annotated[float, Field(gt=0, description="seconds from the moment job-store claimed it")]
    not_after: Annotated[Moment, Field(description="after this moment nobody may act on it")]
