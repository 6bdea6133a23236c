"""Who plays the outside of the system that `up` runs here, told to the commands that look at its chats."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from chassis.logs import redact

FILE: Final = "surroundings.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Addresses around one NATS; of the outside only what is a sandbox."""

    nats_url: str  # without its password
    gateway_url: str | None = None
    telegram_url: str | None = None
    kie_url: str | None = None


@contextmanager
def told(directory: Path, around: Surroundings) -> Iterator[None]:
    """Keep them in a file while the block lasts."""
    file = directory / FILE
    safe = {**asdict(around), "nats_url": redact(around.nats_url)}
    directory.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(safe) + "\n", "utf-8")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def found(directory: Path, *, nats_url: str) -> Surroundings | None:
    """Return those of the system at this NATS, if it runs from this directory."""
    try:
        around = Surroundings(**json.loads((directory / FILE).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return around if around.nats_url == redact(nats_url) else None
