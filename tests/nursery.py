"""Our services, forked from one process that has imported them all.

`python -m nursery ADDRESS` imports them as they are, `python -m nursery ADDRESS short` with leases that are
soon outlasted.
"""

import importlib
import sys
from pathlib import Path
from typing import Final

from crash.points import SERVICES
from deliverer.telegram.aiogram_import import load_aiogram
from testkit.processes.nursery import Nursery, serve

TESTS: Final = Path(__file__).parent
LATE: Final = (
    "deliverer.handlers.acting",
    "deliverer.handlers.requests",
    "deliverer.telegram.calls",
)


def nursery(directory: Path, *, short: bool = False) -> Nursery:
    """Return where all services come from; ``short`` has the leases of `make crash`."""
    variant = ("short",) if short else ()
    return Nursery("nursery", *variant, directory=directory, path=TESTS)


def load_services() -> None:
    """Import what every service would import after its start."""
    for service in SERVICES:
        importlib.import_module(f"{service}.app")
    load_aiogram(fast=True)
    for module in LATE:
        importlib.import_module(module)


def main() -> None:
    """Import, then fork."""
    address, *variant = sys.argv[1:]
    if "short" in variant:
        from crash.child import shorten  # noqa: PLC0415 - before the services, and only then

        shorten()
    load_services()
    serve(address)


if __name__ == "__main__":
    main()
