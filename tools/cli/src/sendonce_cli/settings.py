"""What the command itself is told by the environment; the only reader of it."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr

from chassis.settings import PREFIX, ServiceSettings, load

DEFAULT_DATA_DIR: Final = Path(".sendonce")
GATEWAY, STORE, SUBMITTER, DELIVERER, RECONCILER = (
    "callback-gateway",
    "job-store",
    "submitter",
    "deliverer",
    "reconciler",
)
TRACED: Final = ("OTLP_ENDPOINT", "TRACE_RATIO")


class Storage(StrEnum):
    """What keeps jobs and money."""

    POSTGRES = "postgres"
    JSON = "json"


class Settings(ServiceSettings):
    """Where the system is, and what `up` runs it on."""

    database_url: SecretStr | None = Field(
        default=None, description="Address of Postgres; without it `up` runs one of its own."
    )
    storage: Storage = Field(
        default=Storage.POSTGRES,
        description="What keeps the state: postgres, or json for a journal without a database.",
    )
    nats_replicas: int = Field(
        default=1,
        ge=1,
        le=5,
        description="Copies NATS keeps of each stream; 3 on a cluster of three or more.",
    )
    data_dir: Path = Field(
        default=DEFAULT_DATA_DIR,
        description="Where the embedded servers and the journal keep their data.",
    )
    gateway_host: str = Field(
        default="127.0.0.1", description="Address the callback gateway listens on."
    )
    gateway_port: int = Field(
        default=8080, ge=1, le=65535, description="The callback gateway's port."
    )
    operator: str | None = Field(
        default=None, description="Who changes things by hand, for the audit; else user@machine."
    )
    public_url: str | None = Field(
        default=None, pattern=r"^https?://", description="Where KIE reaches the callback gateway."
    )
    kie_sandbox: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="Address of the sandbox KIE of a deployment, for check, smoke and trial.",
    )
    telegram_sandbox: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="Address of its sandbox Telegram.",
    )


def chosen() -> Settings:
    """Read the environment."""
    return load(Settings)


def traced() -> dict[str, str]:
    """Return where traces go: the one thing of the environment that a demo heeds."""
    return {name: value for name, value in given().items() if name in TRACED}


def given() -> dict[str, str]:
    """Return everything the environment says to the services, by name without the prefix."""
    return {
        name.removeprefix(PREFIX): value
        for name, value in os.environ.items()
        if name.startswith(PREFIX) and value
    }
