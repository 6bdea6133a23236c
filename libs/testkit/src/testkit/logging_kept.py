"""What a command or a service does to the logs of its process, taken back afterwards."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog


@contextmanager
def logging_kept() -> Iterator[None]:
    """Leave this process logging as it did before: whoever runs a command inside it quietens all that follow."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    before = structlog.get_config() if structlog.is_configured() else None
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()
        if before is not None:
            structlog.configure(**before)
