"""`sendonce smoke`: one generation, end to end."""

from typing import Annotated, Final

import typer
from pydantic import JsonValue, TypeAdapter, ValidationError

from contracts.permissions import SMOKE_BOT
from sendonce_cli.by_hand import AsJson, Who, Yes, signed
from sendonce_cli.commands.examining import (
    Every,
    Gateway,
    KieSandbox,
    TelegramSandbox,
    TokenRef,
    examine,
    surroundings,
)
from sendonce_cli.screen import err
from sendonce_cli.trouble import Trouble, misuse

PATIENCE: Final = 30.0  # seconds; without a public URL a result is found by polling
REAL_PATIENCE: Final = 900.0  # KIE takes up to a quarter of an hour
SANDBOX_MODEL: Final = "google/nano-banana"
PROMPT: Final = '{"prompt": "a lighthouse"}'


def smoke(
    *,
    real: Annotated[
        bool, typer.Option("--real", help="Use the real KIE: one task is made and paid for.")
    ] = False,
    model: Annotated[
        str | None, typer.Option(help="With --real: a cheap model of KIE's market.")
    ] = None,
    given: Annotated[
        str, typer.Option("--input", help="With --real: what the model is given, as JSON.")
    ] = PROMPT,
    chat: Annotated[
        int | None, typer.Option(help="A real chat in which the results are shown.")
    ] = None,
    token_ref: TokenRef = "default",  # noqa: S107 - the name of a token, not one
    kie_account: Annotated[str, typer.Option(help="Which KIE account pays.")] = "default",
    gateway: Gateway = None,
    telegram_sandbox: TelegramSandbox = None,
    kie_sandbox: KieSandbox = None,
    patience: Annotated[
        float | None, typer.Option(min=1, help="Seconds anything may take; 30, with --real 900.")
    ] = None,
    yes: Yes = False,
    who: Who = "",
    every: Every = False,
    as_json: AsJson = False,
) -> None:
    """Follow one generation from a payment to its result in the chat, and the books after it: nine phases.

    It works as a bot of its own, sendonce-smoke, with users and play money of its own, on the sandboxes of
    `sendonce up`. With --real one task is made at the real KIE, which costs money, and is shown in the real
    chat you name.

    Exit code 0 when all is well, 1 when something critical failed, 2 when there are only warnings.
    """
    from sendonce_cli.probes.stay import Stay  # noqa: PLC0415 - other commands start faster
    from sendonce_cli.smoke.journey import travelling  # noqa: PLC0415 - as above
    from sendonce_cli.smoke.phases import PHASES  # noqa: PLC0415 - as above

    around = surroundings()
    kie_url = None if real else kie_sandbox or around.kie_url
    telegram_url = telegram_sandbox or around.telegram_url
    if real:
        _agreed(model, chat, account=kie_account, yes=yes)
    elif kie_url is None or (telegram_url is None and chat is None):
        raise Trouble(
            "this deployment's KIE and Telegram are not known to be sandboxes",
            hint="run it on `sendonce up`, or pay for one task: --real --model NAME --chat ID",
        )
    stay = Stay(
        bot=SMOKE_BOT,
        kie_account=kie_account,
        gateway_url=gateway or around.gateway_url,
        telegram_url=telegram_url,
        chat_id=chat,
        token_ref=token_ref,
        media=(),
        patience=patience or (REAL_PATIENCE if real else PATIENCE),
        by=signed(who=who, why="sendonce smoke"),
    )
    journey = travelling(kie_url, model=model or SANDBOX_MODEL, given=_input(given))
    examine(stay, PHASES, journey, what="sendonce smoke", every=every, as_json=as_json)


def _agreed(model: str | None, chat: int | None, *, account: str, yes: bool) -> None:
    """Say what it costs before anything is asked; a person must agree."""
    if model is None or chat is None:
        raise misuse(
            "--real needs a model and a chat",
            hint="say --real --model google/nano-banana --chat YOUR_CHAT_ID",
        )
    err().print(
        f"[warn]This costs money:[/] one task of [head]{model}[/] at the real KIE, paid by the account "
        f"[head]{account}[/]; it and three texts are shown in the chat [head]{chat}[/].",
        soft_wrap=True,
    )
    if not yes:
        typer.confirm("Go on?", abort=True, err=True)


def _input(given: str) -> dict[str, JsonValue]:
    try:
        return TypeAdapter(dict[str, JsonValue]).validate_json(given)
    except ValidationError as wrong:
        raise misuse("--input is not a JSON object", hint=f"such as {PROMPT}") from wrong
