"""Bots, as a list and after one was added."""

from rich.console import RenderableType
from rich.text import Text

from contracts.ops import BotsView, BotView
from sendonce_cli.screen import table


def bots_screen(view: BotsView) -> RenderableType:
    """Return one row a bot."""
    if not view.bots:
        return Text(
            "no bots yet: `sendonce bots add NAME`, or set SENDONCE_BOT_TOKEN", style="warn"
        )
    rows = table("bot", "currency", "language", "token", "KIE", "since", "state")
    for bot in view.bots:
        state = (
            Text(f"paused: {bot.paused}", style="bad") if bot.paused else Text("open", style="good")
        )
        rows.add_row(
            Text(bot.slug, style="name"),
            bot.currency,
            bot.language,
            bot.token_ref,
            bot.kie_account,
            f"{bot.created_at.astimezone():%Y-%m-%d}",
            state,
        )
    return rows


def bot_added(bot: BotView) -> RenderableType:
    """Return what stands now."""
    return Text.assemble(
        ("saved ", "good"),
        (bot.slug, "name"),
        f": {bot.currency}, {bot.language}, token {bot.token_ref}, KIE account {bot.kie_account}",
    )
