"""`sendonce up`: run the whole system here until Ctrl-C."""

from typing import Annotated

import typer

from sendonce_cli.group import run
from sendonce_cli.settings import Storage, chosen


def up(
    one_process: Annotated[
        bool,
        typer.Option(
            "--one-process", help="All five services in this process, their logs in this terminal."
        ),
    ] = False,
    storage: Annotated[
        Storage | None,
        typer.Option(
            help="What keeps jobs and money: Postgres, or a journal of JSON lines without a database;"
            " SENDONCE_STORAGE unless it is said here."
        ),
    ] = None,
) -> None:
    """Run everything on this machine until Ctrl-C.

    NATS and Postgres are embedded and keep their data in SENDONCE_DATA_DIR (.sendonce), unless
    SENDONCE_NATS_URL and SENDONCE_DATABASE_URL are set. KIE and Telegram are sandboxes, unless
    SENDONCE_KIE_API_KEY and SENDONCE_BOT_TOKEN are set. Schema and streams are made first; a
    service that dies is started again.

    With [bold]--storage json[/] there is no Postgres: job-store keeps everything in its memory and
    each change as a line in SENDONCE_DATA_DIR/journal. That is for one machine: one job-store, no
    SQL, no more state than memory holds.
    """
    from sendonce_cli.stack.here import run_here  # noqa: PLC0415 - other commands start faster

    settings = chosen()
    if storage is not None:
        settings = settings.model_copy(update={"storage": storage})
    run(run_here(settings, one_process=one_process))
