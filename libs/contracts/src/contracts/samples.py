"""One frozen message per kind and variant, as it travels: what every reader must go on reading.

The files beside this module are named ``<Class>.<variant>.json``. A committed file is not edited:
messages like it lie in streams and outboxes. A new field or kind gets a new file.
"""

from importlib.resources import files
from typing import Final

SUFFIX: Final = ".json"


def all() -> dict[str, bytes]:  # noqa: A001 - read as samples.all()
    """Return every sample by its name, ``<Class>.<variant>``."""
    found = (files("contracts") / "samples").iterdir()
    by_file = sorted((one for one in found if one.name.endswith(SUFFIX)), key=lambda one: one.name)
    return {one.name.removesuffix(SUFFIX): one.read_bytes() for one in by_file}


def of(cls: type[object]) -> list[bytes]:
    """Return the samples of one class, in the order of their variants."""
    return [raw for name, raw in all().items() if name.partition(".")[0] == cls.__name__]
