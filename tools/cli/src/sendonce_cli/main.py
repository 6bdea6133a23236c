"""The command `sendonce`: every group of commands, in the order a person meets them."""

from importlib import metadata
from typing import Annotated

import typer

from chassis import logs
from sendonce_cli.commands import (
    access,
    audit,
    bots,
    callback,
    check,
    dead,
    deliveries,
    demo,
    doctor,
    jobs_by_hand,
    migrate,
    moving,
    orphans,
    resume,
    smoke,
    status,
    trial,
    up,
    users,
    wallet,
)
from sendonce_cli.group import PlainSpokenGroup
from sendonce_cli.screen import out

app = typer.Typer(
    name="sendonce",
    help="Carries every AI generation from request to chat: nothing lost, nothing shown twice.",
    cls=PlainSpokenGroup,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Settings are SENDONCE_… variables; SENDONCE_NATS_URL tells the commands where the system is.",
)

RUN, LOOK, TOOLS = "Run", "Look and act", "Tools"


@app.callback(invoke_without_command=True)
def _alone(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.")
    ] = False,
) -> None:
    # What libraries log is not for the person at the terminal.
    logs.configure(level="error")
    if version:
        out().print(f"sendonce {metadata.version('sendonce-cli')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        out().print(context.get_help(), end="")
        raise typer.Exit


app.command("demo", rich_help_panel=RUN)(demo.demo)
app.command("up", rich_help_panel=RUN)(up.up)
app.command("status", rich_help_panel=LOOK)(status.status)
app.command("check", rich_help_panel=LOOK)(check.check)
app.command("smoke", rich_help_panel=LOOK)(smoke.smoke)
app.command("trial", rich_help_panel=LOOK)(trial.trial)
app.command("doctor", rich_help_panel=LOOK)(doctor.doctor)
app.command("resume", rich_help_panel=LOOK)(resume.resume)
app.add_typer(jobs_by_hand.app, rich_help_panel=LOOK)
app.add_typer(deliveries.app, rich_help_panel=LOOK)
app.add_typer(orphans.app, rich_help_panel=LOOK)
app.add_typer(dead.app, rich_help_panel=LOOK)
app.add_typer(wallet.app, rich_help_panel=LOOK)
app.add_typer(users.app, rich_help_panel=LOOK)
app.add_typer(bots.app, rich_help_panel=LOOK)
app.command("audit", rich_help_panel=LOOK)(audit.audit)
app.add_typer(migrate.app, rich_help_panel=TOOLS)
app.add_typer(access.app, rich_help_panel=TOOLS)
app.command("export", rich_help_panel=TOOLS)(moving.export_file)
app.command("import", rich_help_panel=TOOLS)(moving.import_file)
app.add_typer(callback.app, rich_help_panel=TOOLS)
