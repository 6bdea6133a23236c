"""Copying wide rows: by their dict, a tenth of the time of an initializer with forty arguments."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["restored", "revised"]

R = TypeVar("R")


def restored(kind: type[R], fields: Mapping[str, Any]) -> R:
    """Return a wide row with all these fields; only for who read every one of them."""
    row = object.__new__(kind)
    row.__dict__.update(fields)
    return row


if TYPE_CHECKING:
    from dataclasses import replace as revised
else:

    def revised(row: R, /, **fields: object) -> R:
        """Return a wide row with some fields changed, as ``dataclasses.replace`` does."""
        if not fields.keys() <= row.__dict__.keys():
            raise TypeError(sorted(fields.keys() - row.__dict__.keys()))
        return restored(type(row), row.__dict__ | fields)
