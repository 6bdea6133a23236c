"""`sendonce bots`: who shares this deployment."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import TypeAdapter, ValidationError

from contracts.ops import AddBot, BotsView, BotView, ListBots, SetTexts
from contracts.repairs import PauseView, SetPause
from sendonce_cli.asking import Desk, desk
from sendonce_cli.by_hand import AsJson, DryRun, Hand, Who, Why, hand, signed
from sendonce_cli.group import group, run
from sendonce_cli.screen import out, print_json
from sendonce_cli.screens.bots import bot_added, bots_screen, own_lines, texts_screen, texts_set
from sendonce_cli.screens.repairs import pause_screen
from sendonce_cli.trouble import Trouble, misuse

app = group("bots", "The bots that share this deployment.")

Stopped = Literal["intake", "submissions", "deliveries"]
Name = Annotated[str, typer.Argument(help="The bot.")]
What = Annotated[Stopped, typer.Argument(help="New jobs, calls of KIE, or calls of Telegram.")]


@app.command("list")
def list_bots(
    as_json: Annotated[bool, typer.Option("--json", help="Print them as one object.")] = False,
) -> None:
    """List every bot with its currency, language and accounts."""
    view = run(_list())
    if as_json:
        print_json(view)
    else:
        out().print(bots_screen(view))


@app.command()
def add(
    name: Annotated[
        str,
        typer.Argument(help="Lowercase letters, digits and dashes; stands in subjects and logs."),
    ],
    *,
    token_ref: Annotated[
        str,
        typer.Option(
            help="Which Telegram token: [bold]default[/] is SENDONCE_BOT_TOKEN, others are files."
        ),
    ] = "default",  # noqa: S107 - the name of a token, not one
    kie_account: Annotated[
        str,
        typer.Option(
            help="Which KIE key: [bold]default[/] is SENDONCE_KIE_API_KEY, others are files."
        ),
    ] = "default",
    currency: Annotated[str, typer.Option(help="Three letters; XTR is Telegram Stars.")] = "RUB",
    language: Annotated[
        str, typer.Option(help="Two letters; what users read where they chose nothing.")
    ] = "en",
    rich: Annotated[
        bool,
        typer.Option(
            "--rich/--no-rich",
            help="Several pictures in one message, or one each; old apps cannot show the first.",
        ),
    ] = False,
    staging_chat: Annotated[
        int | None,
        typer.Option(
            metavar="CHAT_ID",
            help="A chat where the bot may put by results that nobody can be shown yet.",
        ),
    ] = None,
    why: Why = "",
    who: Who = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print it as one object.")] = False,
) -> None:
    """Register a bot, or change the fields of a known one.

    Tokens and keys are never stored: they are named, and the services read them from SENDONCE_SECRETS_DIR.
    """
    view = run(
        _add(
            slug=name,
            token_ref=token_ref,
            kie_account=kie_account,
            currency=currency,
            language=language,
            rich=rich,
            staging_chat=staging_chat,
            **signed(who=who, why=why),
        )
    )
    if as_json:
        print_json(view)
    else:
        out().print(bot_added(view))


@app.command()
def texts(
    name: Annotated[str, typer.Argument(help="Whose texts.")],
    lines: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=TEXT",
            help="Say this instead; NAME is a line, or language.line. No text: as shipped again.",
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(help="A JSON object of all own texts; what it does not name is as shipped."),
    ] = None,
    why: Why = "",
    who: Who = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print them as one object.")] = False,
) -> None:
    """List every line users read, or replace some by the bot's own.

    Braces stand for values: [bold]{label}[/] is the job's short name; the shipped lines show the others.
    """
    given = None if file is None else _read(file)
    by = signed(who=who, why=why)
    view = run(_texts(name, given, _named(lines or []), by))
    shipped = _shipped(view.language)
    if as_json:
        print_json({"slug": view.slug, "lines": own_lines(view, shipped)})
    elif lines or file is not None:
        out().print(texts_set(view))
    else:
        out().print(texts_screen(view, shipped))


@app.command()
def pause(
    bot: Name,
    what: What,
    why: Why = "",
    who: Who = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Stop one thing for one bot; what was accepted waits, and nothing is lost."""
    by = hand(who=who, why=why, dry_run=dry_run)
    set_pause(bot, what, paused=True, by=by, as_json=as_json)


@app.command()
def resume(
    bot: Name,
    what: What,
    why: Why = "",
    who: Who = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Let it go on at once, also when KIE or Telegram had refused a key, credits or a token."""
    by = hand(who=who, why=why, dry_run=dry_run)
    set_pause(bot, what, paused=False, by=by, as_json=as_json)


def set_pause(bot: str, what: Stopped, *, paused: bool, by: Hand, as_json: bool) -> None:
    """Stop something or let it go on, and say how the bot stands then."""
    view = run(_pause(bot, what, paused=paused, by=by))
    if as_json:
        print_json(view)
    else:
        out().print(pause_screen(view, dry_run=by.dry_run))


async def _pause(bot: str, what: Stopped, *, paused: bool, by: Hand) -> PauseView:
    async with desk() as asking:
        return await asking.ops(
            "pauses.set", SetPause, PauseView, bot=bot, what=what, paused=paused, **by.fields()
        )


def _named(lines: Sequence[str]) -> dict[str, str]:
    named = {}
    for line in lines:
        name, equals, text = line.partition("=")
        if not equals or not name.strip():
            raise misuse(f"--set {line}: no line is named", hint="say --set NAME=TEXT")
        named[name.strip()] = text
    return named


def _read(file: Path) -> dict[str, str]:
    try:
        return TypeAdapter(dict[str, str]).validate_json(file.read_bytes())
    except OSError as problem:
        raise misuse(
            f"cannot read {file}: {problem.strerror}", hint="check its path and rights"
        ) from problem
    except ValidationError as problem:
        raise misuse(
            f"{file} is not a JSON object of texts", hint=json.dumps({"status": "Working on it"})
        ) from problem


def _shipped(language: str) -> Mapping[str, str]:
    from job_store.app import SHIPPED  # noqa: PLC0415 - other commands start faster

    return SHIPPED.get(language, SHIPPED["en"])


async def _list() -> BotsView:
    async with desk() as asking:
        return await asking.ops("bots.list", ListBots, BotsView)


async def _texts(
    slug: str, given: dict[str, str] | None, named: dict[str, str], by: dict[str, str]
) -> BotView:
    """Read a bot's own texts, and replace them when there is something to replace."""
    async with desk() as asking:
        bot = await _find(asking, slug)
        if given is None and not named:
            return bot
        own = bot.texts if given is None else given
        wanted = {name: text for name, text in {**own, **named}.items() if text}
        return await asking.ops("bots.texts", SetTexts, BotView, slug=slug, texts=wanted, **by)


async def _find(asking: Desk, slug: str) -> BotView:
    bots = (await asking.ops("bots.list", ListBots, BotsView)).bots
    found = next((bot for bot in bots if bot.slug == slug), None)
    if found is None:
        raise Trouble(
            f"no bot named {slug}",
            hint="there are " + (", ".join(bot.slug for bot in bots) or "none yet"),
        )
    return found


async def _add(**fields: object) -> BotView:
    async with desk() as asking:
        return await asking.ops("bots.add", AddBot, BotView, **fields)
