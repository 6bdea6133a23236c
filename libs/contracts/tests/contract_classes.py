"""Every class of the contracts, found by looking, so that a new one cannot be forgotten."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Final

from pydantic import BaseModel

import contracts
from contracts import api, effects, ops, repairs
from contracts.message import Message, Value

# Never instantiated: what others are made of.
BASES: Final = {
    Value,
    Message,
    api.Request,
    api.JobRequest,
    ops.Signed,
    repairs.Repair,
    repairs.JobsRepair,
}
# Called a view, and travels only inside another one.
PARTS: Final = {api.PartView, repairs.DeadView}
REPLIES: Final = ("View", "Story", "Reply", "Done")


def values() -> dict[str, type[Value]]:
    """Return every concrete model of the contracts by its name."""
    for module in pkgutil.iter_modules(contracts.__path__):
        importlib.import_module(f"contracts.{module.name}")
    found = [cls for cls in _subclasses(Value) if cls.__module__.startswith("contracts.")]
    named = {cls.__name__: cls for cls in found if cls not in BASES}
    assert len(named) == len(set(found) - BASES), "two classes share a name"
    return named


def travelling() -> dict[str, type[Value]]:
    """Return what is sent on its own: messages, requests, and their replies."""
    return {name: cls for name, cls in values().items() if _travels(cls) and cls not in PARTS}


def _travels(cls: type[Value]) -> bool:
    return (
        issubclass(cls, Message | api.Request)
        or cls.__module__ == effects.__name__
        or cls.__name__.endswith(REPLIES)
    )


def _subclasses(cls: type[Value]) -> Iterator[type[Value]]:
    for one in cls.__subclasses__():
        yield one
        yield from _subclasses(one)


def models_in(value: object) -> Iterator[BaseModel]:
    """Return a model and every model within it."""
    if isinstance(value, BaseModel):
        yield value
        for name in type(value).model_fields:
            yield from models_in(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from models_in(item)
