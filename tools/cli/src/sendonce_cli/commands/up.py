"""`sendonce up`: run the whole system here until Ctrl-C."""

from typing import Annotated

import typer

from sendonce_cli.group import run
from sendonce_cli.settings import chosen


def up(
    one_process: Annotated[
        bool,
        typer.Option(
            "--one-process", help="All five services in this process, their logs in this terminal."
        ),
    ] = False,
) -> None:
    """Run everything on this machine until Ctrl-C.

    NATS and Postgres are embedded and keep their data in SENDONCE_DATA_DIR (.sendonce), unless
    SENDONCE_NATS_URL and SENDONCE_DATABASE_URL are set. KIE and Telegram are sandboxes, unless
    SENDONCE_KIE_API_KEY and SENDONCE_BOT_TOKEN are set. Schema and streams are made first; a
    service that dies is started again.
    """
    from sendonce_cli.stack.here import run_here  # noqa: PLC0415 - other commands start faster

    run(run_here(chosen(), one_process=one_process))
