"""What the shop is told by its environment."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where everything is."""

    bot_token: str
    telegram_api_url: str
    nats_url: str
    nats_creds: str | None
    bot: str
    cursor: Path


def chosen() -> Settings:
    """Read the environment; only the token has no default."""
    return Settings(
        bot_token=os.environ["BOT_TOKEN"],
        telegram_api_url=os.environ.get("TELEGRAM_API_URL", "https://api.telegram.org"),
        nats_url=os.environ.get("NATS_URL", "nats://127.0.0.1:4222"),
        nats_creds=os.environ.get("NATS_CREDS"),
        bot=os.environ.get("BOT_NAME", "default"),
        cursor=Path(os.environ.get("CURSOR_FILE", "shop.cursor")),
    )
