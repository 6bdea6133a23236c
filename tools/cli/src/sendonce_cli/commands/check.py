"""`sendonce check`: can this deployment do what it must?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer

from contracts.permissions import CHECK_BOT
from sendonce_cli.by_hand import AsJson, Who, signed
from sendonce_cli.commands.examining import (
    Every,
    Gateway,
    TelegramSandbox,
    TokenRef,
    examine,
    surroundings,
)
from sendonce_cli.trouble import misuse

if TYPE_CHECKING:
    from sendonce_cli.probes.items import Phase
    from sendonce_cli.probes.tenant import Tenant

NO_KEY: Final = "sendonce-check"  # a KIE account without a key: nothing can be bought by a check
PATIENCE: Final = 15.0  # seconds for a fact; results pass three services and Telegram's pace


def check(
    *,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Only this phase, by name or number; may be given again."),
    ] = None,
    chat: Annotated[
        int | None, typer.Option(help="A real chat in which results may be shown.")
    ] = None,
    token_ref: TokenRef = "default",  # noqa: S107 - the name of a token, not one
    media: Annotated[
        list[str] | None,
        typer.Option(help="A public address of a file to show there: .png, .mp4, .gif, .mp3, …"),
    ] = None,
    gateway: Gateway = None,
    telegram_sandbox: TelegramSandbox = None,
    patience: Annotated[
        float, typer.Option(min=1, help="Seconds anything may take before it counts as missing.")
    ] = PATIENCE,
    who: Who = "",
    every: Every = False,
    as_json: AsJson = False,
) -> None:
    """Show that the running deployment can do what it must: seven phases, nothing taken on trust.

    It works as a bot of its own, sendonce-check, with users and play money of its own and no KIE key,
    and tidies up, so it may run in production. Results are shown in the sandbox Telegram of `sendonce up`,
    or in the chat you name; without either what needs a chat is a warning.

    Exit code 0 when all is well, 1 when something critical failed, 2 when there are only warnings.
    """
    from sendonce_cli.check.phases import PHASES  # noqa: PLC0415 - other commands start faster
    from sendonce_cli.probes.stay import Stay  # noqa: PLC0415 - as above

    around = surroundings()
    stay = Stay(
        bot=CHECK_BOT,
        kie_account=NO_KEY,
        gateway_url=gateway or around.gateway_url,
        telegram_url=telegram_sandbox or around.telegram_url,
        chat_id=chat,
        token_ref=token_ref,
        media=tuple(media or ()),
        patience=patience,
        by=signed(who=who, why="sendonce check"),
    )
    phases = named(PHASES, only or [])
    examine(stay, phases, lambda lab: lab, what="sendonce check", every=every, as_json=as_json)


def named(phases: "Sequence[Phase[Tenant]]", names: Sequence[str]) -> "Sequence[Phase[Tenant]]":
    """Return the phases of these names or numbers, all without any; misuse when there is none of a name."""
    known = {name: phase for phase in phases for name in (phase.name, str(phase.number))}
    for name in names:
        if name not in known:
            raise misuse(
                f"--only {name}: no such phase",
                hint="there are " + ", ".join(phase.name for phase in phases),
            )
    wanted = {known[name].number for name in names}
    return [phase for phase in phases if not wanted or phase.number in wanted]
