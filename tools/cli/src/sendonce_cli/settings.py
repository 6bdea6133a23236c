"""What the command itself is told by the environment; the only reader of it."""

from pathlib import Path
from typing import Final

from chassis.settings import ServiceSettings, load
from pydantic import Field, SecretStr

DEFAULT_DATA_DIR: Final = Path(".sendonce")


class Settings(ServiceSettings):
    """Where the system is, and what `up` runs it on."""

    database_url: SecretStr | None = Field(
        default=None, description="Address of Postgres; without it `up` runs one of its own."
    )
    data_dir: Path = Field(default=DEFAULT_DATA_DIR, description="Where the embedded servers keep their data.")


def chosen() -> Settings:
    """Read the environment."""
    return load(Settings)
