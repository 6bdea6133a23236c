"""`sendonce demo`: prove the promise on this machine."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from sendonce_cli.demo.options import Faults, Options
from sendonce_cli.group import run
from sendonce_cli.screen import err, out, print_json
from sendonce_cli.settings import Storage
from sendonce_cli.trouble import FAILED

if TYPE_CHECKING:
    from sendonce_cli.demo.verdict import Verdict

PATIENCE: Final = 180.0  # seconds; a job that expires does so in the middle of it
PER_JOB: Final = 0.4  # seconds; Telegram lets one bot show about five times as many


def demo(
    *,
    jobs: Annotated[
        int, typer.Option("--jobs", "-n", min=1, max=5_000, help="How many jobs to run.")
    ] = 200,
    faults: Annotated[
        Faults,
        typer.Option(
            help="How hostile KIE and Telegram are; [bold]hard[/] also kills the services with -9."
        ),
    ] = Faults.LIGHT,
    seed: Annotated[
        int, typer.Option(help="The same seed draws the same jobs and the same fates.")
    ] = 1,
    storage: Annotated[
        Storage,
        typer.Option(
            help="What keeps jobs and money: Postgres, or a journal of JSON lines without a database."
        ),
    ] = Storage.POSTGRES,
    within: Annotated[
        float | None,
        typer.Option(
            min=10, help="Seconds after which a stuck run is given up; grows with the jobs."
        ),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Stay until Ctrl-C afterwards, to look at the chats.")
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print the result as one object, the last line of stdout."),
    ] = False,
) -> None:
    """Run many jobs through real servers, five services and a hostile sandbox; check each one.

    Everything runs on this machine, in a temporary directory: NATS, Postgres, the five services, a
    sandbox KIE and a sandbox Telegram. One job in ten fails at the provider. At the end every
    result is looked for in the chats: exit code 0 only when nothing is lost, nothing is shown
    twice and no money is wrong.
    """
    from sendonce_cli.demo.run import run as run_demo  # noqa: PLC0415 - other commands start faster

    options = Options(
        jobs=jobs,
        faults=faults,
        seed=seed,
        storage=storage,
        within=within or PATIENCE + jobs * PER_JOB,
        keep=keep,
    )

    def tell(verdict: "Verdict") -> None:
        if as_json:
            print_json(verdict.as_json())

    verdict = run(run_demo(options, err() if as_json else out(), tell=tell))
    if not verdict.is_clean:
        raise typer.Exit(FAILED)
