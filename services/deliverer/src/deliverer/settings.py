"""What the deliverer is told by its environment; nothing else reads it."""

from pathlib import Path

from pydantic import Field, SecretStr

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """The deliverer's settings."""

    bot_token: SecretStr | None = Field(
        default=None, description="Token of the bot named default; others are in SECRETS_DIR."
    )
    secrets_dir: Path | None = Field(
        default=None, description="Directory with one token file per token reference."
    )
    telegram_api_url: str = Field(
        default="https://api.telegram.org",
        pattern=r"^https?://",
        description="Root of the Bot API: Telegram's, a local server's or a sandbox's.",
    )
    media_from_loopback: bool = Field(
        default=False,
        description="Fetch results from this machine too: for sandboxes, whose media live there.",
    )
    media_hosts: str = Field(
        default="",
        description="Names of hosts in your own network that results may be fetched from, "
        "separated by commas; nothing else there is ever asked.",
    )
    aiogram_fast_import: bool = Field(
        default=True,
        description="Build aiogram's models when first used, which starts the service in a third "
        "of the time; turn off if a new aiogram does not bear it.",
    )

    @property
    def own_hosts(self) -> frozenset[str]:
        """The names of `media_hosts`."""
        names = (name.strip().lower() for name in self.media_hosts.split(","))
        return frozenset(name for name in names if name)
