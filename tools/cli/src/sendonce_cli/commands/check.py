"""`sendonce check`: can this deployment do what it must?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sendonce_cli.by_hand import AsJson, Who, signed
from sendonce_cli.group import run
from sendonce_cli.screen import err, out, print_json
from sendonce_cli.settings import chosen
from sendonce_cli.trouble import misuse

if TYPE_CHECKING:
    from sendonce_cli.probes.items import Phase
    from sendonce_cli.probes.tenant import Tenant

PATIENCE: Final = 15.0  # seconds for a fact; results pass three services and Telegram's pace

Gateway = Annotated[
    str | None,
    typer.Option(help="The callback gateway's address from here.", show_default="its public URL"),
]
TelegramSandbox = Annotated[
    str | None,
    typer.Option(help="A sandbox Telegram's address.", show_default="that of `sendonce up`"),
]
Every = Annotated[bool, typer.Option("--verbose", "-v", help="Name every item, also what passed.")]


def check(
    *,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Only this phase, by name or number; may be given again."),
    ] = None,
    chat: Annotated[
        int | None, typer.Option(help="A real chat in which results may be shown.")
    ] = None,
    token_ref: Annotated[
        str, typer.Option(help="Which Telegram token shows them there.")
    ] = "default",  # noqa: S107 - the name of a token, not one
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
    and tidies up, so it may run in production. Results are shown in the sandbox Telegram of `sendonce up`, or
    in the chat you name; without either what needs a chat is a warning.

    Exit code 0 when all is well, 1 when something critical failed, 2 when there are only warnings.
    """
    from sendonce_cli.check.phases import PHASES  # noqa: PLC0415 - other commands start faster
    from sendonce_cli.check.run import Options  # noqa: PLC0415 - as above
    from sendonce_cli.check.run import check as run_check  # noqa: PLC0415 - as above
    from sendonce_cli.probes.live import Progress  # noqa: PLC0415 - as above
    from sendonce_cli.screens.probes import verdict_screen  # noqa: PLC0415 - as above
    from sendonce_cli.stack.surroundings import found  # noqa: PLC0415 - as above

    settings = chosen()
    around = found(settings.data_dir, nats_url=settings.nats_url)
    phases = _named(PHASES, only or [])
    options = Options(
        gateway_url=gateway or (around.gateway_url if around else None),
        telegram_url=telegram_sandbox or (around.telegram_url if around else None),
        chat_id=chat,
        token_ref=token_ref,
        media=tuple(media or ()),
        patience=patience,
        by=signed(who=who, why="sendonce check"),
    )
    with Progress(err(), total=sum(len(phase.probes) for phase in phases)) as progress:
        verdict = run(run_check(settings, options, phases, progress))
    if as_json:
        print_json(verdict.as_json())
    else:
        out().print(verdict_screen(verdict, what="sendonce check", every=every))
    raise typer.Exit(verdict.exit_code)


def _named(phases: "Sequence[Phase[Tenant]]", names: Sequence[str]) -> "Sequence[Phase[Tenant]]":
    known = {name: phase for phase in phases for name in (phase.name, str(phase.number))}
    for name in names:
        if name not in known:
            raise misuse(
                f"--only {name}: no such phase",
                hint="there are " + ", ".join(phase.name for phase in phases),
            )
    chosen_ones = [known[name] for name in names]
    return [phase for phase in phases if phase in chosen_ones] if names else phases
