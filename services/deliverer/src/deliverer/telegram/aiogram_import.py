"""Importing aiogram in a third of the time: its models are built when first used.

`import aiogram` rebuilds some 400 pydantic models, though every type says `defer_build`. Here the
rebuilds only leave behind the names they were given; pydantic then finds these in the modules of
the types and methods whenever a model is used. See telegram.md section 7.3b.
"""

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel

PATCHED_MODULES = ("aiogram.types.", "aiogram.methods.")


def load_aiogram(*, fast: bool) -> None:
    """Import aiogram; does nothing when it is imported already."""
    if "aiogram" in sys.modules:
        return
    if not fast:
        importlib.import_module("aiogram")
        return
    with _rebuilds_remembered() as names:
        importlib.import_module("aiogram")
    _hand_out(names)


@contextmanager
def _rebuilds_remembered() -> Iterator[dict[str, Any]]:
    original = BaseModel.__dict__["model_rebuild"]
    names: dict[str, Any] = {}

    def remember(
        cls: type[BaseModel],
        *,
        force: bool = False,
        raise_errors: bool = True,
        _parent_namespace_depth: int = 2,
        _types_namespace: Mapping[str, Any] | None = None,
    ) -> bool | None:
        if _types_namespace is not None and cls.__module__.startswith("aiogram."):
            names.update(_types_namespace)
            return None
        rebuilt: bool | None = original.__func__(
            cls,
            force=force,
            raise_errors=raise_errors,
            # One frame deeper than the caller counted: this function.
            _parent_namespace_depth=_parent_namespace_depth + 1,
            _types_namespace=_types_namespace,
        )
        return rebuilt

    type.__setattr__(BaseModel, "model_rebuild", classmethod(remember))
    try:
        yield names
    finally:
        type.__setattr__(BaseModel, "model_rebuild", original)


def _hand_out(names: Mapping[str, Any]) -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith(PATCHED_MODULES):
            for missing in names.keys() - module.__dict__.keys():
                setattr(module, missing, names[missing])
