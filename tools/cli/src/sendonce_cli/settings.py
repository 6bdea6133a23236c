"""What the command itself is told by the environment; the only reader of it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr

from chassis.settings import FILE, KNOWN_NAMES, PREFIX, ServiceSettings, SettingsError, load

DEFAULT_DATA_DIR: Final = Path(".sendonce")
GATEWAY, STORE, SUBMITTER, DELIVERER, RECONCILER = (
    "callback-gateway",
    "job-store",
    "submitter",
    "deliverer",
    "reconciler",
)
# Names that only these services know; each refuses the others'.
OWN_NAMES: Final[Mapping[str, frozenset[str]]] = {
    GATEWAY: frozenset(
        {
            "GATEWAY_BODY_BYTES",
            "GATEWAY_BODY_SECONDS",
            "GATEWAY_CONNECTIONS",
            "GATEWAY_PUBLISH_SECONDS",
            "GATEWAY_REQUESTS",
        }
    ),
    STORE: frozenset(
        {"JOB_TTL_SECONDS", "KIE_CREATES_PER_10S", "ORPHAN_TTL_SECONDS", "POLL_AFTER_SECONDS"}
    ),
    SUBMITTER: frozenset({"KIE_CREATES_PER_10S"}),
    DELIVERER: frozenset({"AIOGRAM_FAST_IMPORT"}),
    RECONCILER: frozenset(),
}


class Settings(ServiceSettings):
    """Where the system is, and what `up` runs it on."""

    database_url: SecretStr | None = Field(
        default=None, description="Address of Postgres; without it `up` runs one of its own."
    )
    data_dir: Path = Field(
        default=DEFAULT_DATA_DIR, description="Where the embedded servers keep their data."
    )
    gateway_host: str = Field(
        default="127.0.0.1", description="Address the callback gateway listens on."
    )
    gateway_port: int = Field(
        default=8080, ge=1, le=65535, description="The callback gateway's port."
    )
    public_url: str | None = Field(
        default=None, pattern=r"^https?://", description="Where KIE reaches the callback gateway."
    )


def chosen() -> Settings:
    """Read the environment; a name that only a service knows is no mistake here."""
    try:
        return load(Settings)
    except SettingsError as wrong:
        own = {PREFIX + name for names in OWN_NAMES.values() for name in names}
        problems = [problem for problem in wrong.problems if problem.partition(":")[0] not in own]
        if problems:
            raise SettingsError(problems) from wrong
        return Settings()


def given() -> dict[str, str]:
    """Return everything the environment says to the services, by name without the prefix."""
    return {
        name.removeprefix(PREFIX): value
        for name, value in os.environ.items()
        if name.startswith(PREFIX) and value
    }


def is_heard_by_all(name: str) -> bool:
    """Claim that every service bears this name."""
    return name.removesuffix(FILE) in KNOWN_NAMES


def is_heard_by(service: str, name: str) -> bool:
    """Claim that this service knows the name, and may be the only one."""
    return name.removesuffix(FILE) in OWN_NAMES[service]
