"""The command group: whatever goes wrong becomes one line, one hint and an exit code."""

import asyncio
import sys
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, TypeVar

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from chassis.settings import SettingsError
from sendonce_cli.screen import complain, out
from sendonce_cli.trouble import FAILED, USAGE, Trouble

INTERRUPTED = 130

T = TypeVar("T")

if TYPE_CHECKING:
    from typer._click import Command, Context


class PlainSpokenGroup(TyperGroup):
    """Prints trouble instead of tracebacks and boxes."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: object,
    ) -> object:
        try:
            answer = super().main(
                args,
                prog_name=prog_name,
                complete_var=complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )
        except Trouble as trouble:
            complain(str(trouble), trouble.hint)
            answer = trouble.code
        except SettingsError as wrong:
            complain("; ".join(wrong.problems), "correct the environment and try again")
            answer = USAGE
        except TyperException as misused:
            answer = _misused(misused)
        except typer.Abort:
            answer = INTERRUPTED
        if standalone_mode:
            sys.exit(answer if isinstance(answer, int) else 0)
        return answer

    def get_command(self, ctx: "Context", cmd_name: str) -> "Command | None":
        """Find a command whose help runs on to the width of the terminal, not to that of our source."""
        command = super().get_command(ctx, cmd_name)
        if command is not None and command.help:
            paragraphs = command.help.split("\n\n")
            command.help = "\n\n".join(" ".join(words.split()) for words in paragraphs)
        return command


def _misused(misused: TyperException) -> int:
    context = getattr(misused, "ctx", None)
    path = context.command_path if context is not None else "sendonce"
    spoken = getattr(misused, "format_message", lambda: str(misused))()
    complain(spoken.rstrip("."), f"see {path} --help")
    return int(getattr(misused, "exit_code", FAILED))


def group(name: str, summary: str) -> typer.Typer:
    """Return a group of commands that shows its help when it is called alone."""
    made = typer.Typer(
        name=name,
        help=summary,
        cls=PlainSpokenGroup,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @made.callback(invoke_without_command=True)
    def _alone(context: typer.Context) -> None:
        if context.invoked_subcommand is None:
            out().print(context.get_help(), end="")
            raise typer.Exit

    return made


def run(work: Coroutine[None, None, T]) -> T:
    """Run one command's work to its end."""
    return asyncio.run(work)
