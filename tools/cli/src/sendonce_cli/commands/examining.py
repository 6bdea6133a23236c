"""What `check` and `smoke` share: where the sandboxes are, the run with its bar, its table and its exit code."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from sendonce_cli.group import run
from sendonce_cli.screen import err, out, print_json
from sendonce_cli.settings import chosen

if TYPE_CHECKING:
    from sendonce_cli.probes.items import Lab, Phase
    from sendonce_cli.probes.stay import Stay
    from sendonce_cli.probes.tenant import Tenant
    from sendonce_cli.stack.surroundings import Surroundings

Gateway = Annotated[
    str | None,
    typer.Option(help="The callback gateway's address from here.", show_default="its public URL"),
]
TelegramSandbox = Annotated[
    str | None,
    typer.Option(
        help="A sandbox Telegram's address.",
        show_default="SENDONCE_TELEGRAM_SANDBOX, or that of `sendonce up`",
    ),
]
KieSandbox = Annotated[
    str | None,
    typer.Option(
        help="A sandbox KIE's address.",
        show_default="SENDONCE_KIE_SANDBOX, or that of `sendonce up`",
    ),
]
TokenRef = Annotated[str, typer.Option(help="Which Telegram token shows results there.")]
Every = Annotated[bool, typer.Option("--verbose", "-v", help="Name every item, also what passed.")]


def surroundings() -> "Surroundings":
    """Return the sandboxes the environment names, else those of the `sendonce up` that runs here, or none."""
    from sendonce_cli.stack.surroundings import Surroundings, found  # noqa: PLC0415 - as below

    settings = chosen()
    nobody = Surroundings(nats_url=settings.nats_url)
    around = found(settings.data_dir, nats_url=settings.nats_url) or nobody
    return replace(
        around,
        kie_url=settings.kie_sandbox or around.kie_url,
        telegram_url=settings.telegram_sandbox or around.telegram_url,
    )


def examine(
    stay: "Stay",
    phases: "Sequence[Phase[Lab]]",
    lab_of: "Callable[[Tenant], Lab]",
    *,
    what: str,
    every: bool,
    as_json: bool,
) -> NoReturn:
    """Run the phases with a bar on stderr, print what was found, and leave with its exit code."""
    from sendonce_cli.probes.live import Progress  # noqa: PLC0415 - other commands start faster
    from sendonce_cli.probes.stay import verdict_of  # noqa: PLC0415 - as above
    from sendonce_cli.screens.probes import verdict_screen  # noqa: PLC0415 - as above

    with Progress(err(), total=sum(len(phase.probes) for phase in phases)) as progress:
        verdict = run(verdict_of(chosen(), stay, phases, lab_of, progress))
    if as_json:
        print_json(verdict.as_json())
    else:
        out().print(verdict_screen(verdict, what=what, every=every))
    raise typer.Exit(verdict.exit_code)
