"""The compose files of one machine, merged as an engine merges them and with the values of .env in their places."""

import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any, Final

import yaml

from deploy.rendering import DEPLOY, LOADER

COMPOSE: Final = DEPLOY / "compose"
# Every way in which they are put together, by the names a person would say.
STACKS: Final = {
    "base": ("compose.yaml",),
    "trial": ("compose.yaml", "compose.trial.yaml"),
    "monitoring": ("compose.yaml", "compose.monitoring.yaml"),
    "all": ("compose.yaml", "compose.trial.yaml", "compose.monitoring.yaml"),
}
# What a later file replaces as a whole; other lists grow.
REPLACED: Final = frozenset({"command", "entrypoint", "test"})
PLACE: Final = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")

Stack = dict[str, Any]
Service = dict[str, Any]


@cache
def _settings() -> dict[str, str]:
    lines = (COMPOSE / ".env").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and line[:1] != "#")


def settled(text: str, settings: dict[str, str]) -> str:
    """Put values in the places of `${NAME:-default}`; an empty value is none."""
    return PLACE.sub(lambda found: settings.get(found[1]) or found[2] or "", text)


@cache
def _read(name: str, *, from_env: bool) -> Stack:
    text = settled((COMPOSE / name).read_text("utf-8"), _settings() if from_env else {})
    read: Stack = yaml.load(text, LOADER)
    return {key: value for key, value in read.items() if not key.startswith("x-")}


def _merged(earlier: Any, later: Any, key: str = "") -> Any:
    if isinstance(earlier, dict) and isinstance(later, dict):
        both = earlier | later
        return {
            name: _merged(earlier[name], later[name], name)
            if name in earlier and name in later
            else each
            for name, each in both.items()
        }
    if isinstance(earlier, list) and isinstance(later, list) and key not in REPLACED:
        return [*earlier, *(one for one in later if one not in earlier)]
    return later


@cache
def _stack(name: str, *, from_env: bool) -> Stack:
    merged: Stack = {}
    for file in STACKS[name]:
        merged = _merged(merged, _read(file, from_env=from_env))
    return merged


def stack(name: str, *, from_env: bool = True) -> Stack:
    """Return one stack, fresh each time; without `.env` every place has its default."""
    return deepcopy(_stack(name, from_env=from_env))


def services(it: Stack) -> Iterator[tuple[str, Service]]:
    """Return what runs, by name."""
    yield from it["services"].items()


def lasting(it: Stack) -> Iterator[tuple[str, Service]]:
    """Return what runs until it is stopped: neither a step of the start nor a person's command."""
    return ((name, one) for name, one in services(it) if one.get("restart") == "unless-stopped")


def waits_for(one: Service) -> dict[str, str]:
    """Return what a service waits for, and until when."""
    return {name: each["condition"] for name, each in one.get("depends_on", {}).items()}


def mounts(one: Service) -> Iterator[tuple[str, str, bool]]:
    """Return what is mounted: what, where, and whether it may be written."""
    for mount in one.get("volumes", ()):
        what, where, *how = mount.split(":")
        yield what, where, how != ["ro"]
