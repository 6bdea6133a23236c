"""The bodies of the gateway's answers; nothing else may stand in them."""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CallbackStored(_Body):
    """The callback is stored durably; a repeat gets the same answer."""

    code: Literal[200]
    msg: Literal["success"]


class CallbackProblem(_Body):
    """An RFC 9457 problem; `hint` says what the caller can do. It never quotes the request."""

    type: str
    title: str
    status: int
    detail: str
    hint: str


class Alive(_Body):
    """Whether the event loop turns, and how long ago it last did, in seconds."""

    alive: bool
    loop_tick_age: float


class Ready(_Body):
    """Whether every check passed; `failures` names those that did not and the kind of their error."""

    ready: bool
    checks: list[str]
    failures: dict[str, str]


BODIES: Final = (CallbackStored, CallbackProblem, Alive, Ready)
