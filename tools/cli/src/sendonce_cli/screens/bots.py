"""Bots, as a list and after one was added, and the texts their users read."""

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.text import Text

from contracts.ops import BotsView, BotView
from sendonce_cli.screen import table


def bots_screen(view: BotsView) -> RenderableType:
    """Return one row a bot."""
    if not view.bots:
        return Text(
            "no bots yet: `sendonce bots add NAME`, or set SENDONCE_BOT_TOKEN", style="warn"
        )
    rows = table("bot!", "currency!", "lang!", "token", "KIE", "pictures", "since!", "state")
    for bot in view.bots:
        stopped = [f"paused: {bot.paused}"] if bot.paused else []
        stopped += [f"{one.what} paused by {one.why}" for one in bot.pauses]
        state = Text("\n".join(stopped), style="bad") if stopped else Text("open", style="good")
        rows.add_row(
            Text(bot.slug, style="name"),
            bot.currency,
            bot.language,
            bot.token_ref,
            bot.kie_account,
            _pictures(bot),
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
        f", pictures: {_pictures(bot)}",
    )


def _pictures(bot: BotView) -> str:
    """Say how several are shown, and where the bot puts by what cannot be shown."""
    several = "collages" if bot.rich else "singly"
    return several if bot.staging_chat is None else f"{several}, staged in {bot.staging_chat}"


def own_lines(bot: BotView, shipped: Mapping[str, str]) -> dict[str, dict[str, str | None]]:
    """Return every line with what is shipped and what the bot says instead."""
    lines: dict[str, dict[str, str | None]] = {
        name: {"shipped": text, "own": bot.texts.get(name)} for name, text in shipped.items()
    }
    for name, text in bot.texts.items():
        lines.setdefault(name, {"shipped": None, "own": text})
    return dict(sorted(lines.items()))


def texts_screen(bot: BotView, shipped: Mapping[str, str]) -> RenderableType:
    """Return one row a line; the bot's own stand out."""
    rows = table("line!", "users read", "!")
    for name, line in own_lines(bot, shipped).items():
        own = line["own"]
        mark = Text("yours", style="good") if own is not None else Text("")
        rows.add_row(Text(name, style="name"), Text(own or line["shipped"] or ""), mark)
    hint = "change one with --set NAME=TEXT, for one language with --set ru.NAME=TEXT"
    return Group(rows, Text(hint, style="quiet"))


def texts_set(bot: BotView) -> RenderableType:
    """Return which lines are the bot's own now."""
    own = ", ".join(sorted(bot.texts)) or "none"
    return Text.assemble(("saved ", "good"), (bot.slug, "name"), f": lines of its own: {own}")
