"""`sendonce demo`: prove the promise on this machine."""

from typing import Annotated

import typer
from testkit.kie import Profile

from sendonce_cli.demo.options import Options
from sendonce_cli.demo.run import run as run_demo
from sendonce_cli.group import run
from sendonce_cli.screen import err, out, print_json
from sendonce_cli.trouble import FAILED

LONGEST = 600.0


def demo(
    jobs: Annotated[int, typer.Option("--jobs", "-n", min=1, max=5_000, help="How many jobs to run.")] = 200,
    faults: Annotated[
        Profile,
        typer.Option(
            help="How hostile KIE and Telegram are; [bold]hard[/] also kills the services with -9 while they work."
        ),
    ] = Profile.LIGHT,
    seed: Annotated[int, typer.Option(help="The same seed draws the same jobs and the same fates.")] = 1,
    within: Annotated[float, typer.Option(min=10, help="Seconds after which a stuck run is given up.")] = LONGEST,
    keep: Annotated[bool, typer.Option("--keep", help="Stay until Ctrl-C afterwards, to look at the chats.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as one object, the last line of stdout.")
    ] = False,
) -> None:
    """Run many jobs through real servers, five services and a hostile sandbox, and check every one.

    Everything runs on this machine, in a temporary directory: NATS, Postgres, the five services, a sandbox KIE and a
    sandbox Telegram. About one job in ten fails at the provider. At the end every result is looked for in the chats:
    exit code 0 only when nothing is lost, nothing shown twice and no money wrong.
    """
    options = Options(jobs=jobs, faults=faults, seed=seed, within=within, keep=keep, as_json=as_json)
    verdict = run(run_demo(options, err() if as_json else out()))
    if as_json:
        print_json(verdict.as_json())
    if not verdict.is_clean:
        raise typer.Exit(FAILED)
