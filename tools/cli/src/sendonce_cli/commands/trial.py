"""`sendonce trial`: many jobs through a deployment on sandboxes."""

from typing import Annotated, Final

import typer

from contracts.permissions import TRIAL_BOT
from sendonce_cli.by_hand import Who, signed
from sendonce_cli.commands.examining import KieSandbox, TelegramSandbox, TokenRef, surroundings
from sendonce_cli.demo.options import Faults, Options
from sendonce_cli.group import run
from sendonce_cli.screen import err, out, print_json
from sendonce_cli.settings import chosen
from sendonce_cli.trouble import FAILED, Trouble

PATIENCE: Final = 30.0  # seconds for one answer
WITHIN: Final = 720.0  # seconds of a run; in the compose file's trial a job lives for 600
PER_JOB: Final = 1.0  # more for each job; KIE takes two a second


def trial(
    *,
    jobs: Annotated[
        int, typer.Option("--jobs", "-n", min=1, max=5_000, help="How many jobs to run.")
    ] = 200,
    faults: Annotated[
        Faults,
        typer.Option(help="How hostile the sandboxes are; the services are yours to kill."),
    ] = Faults.LIGHT,
    seed: Annotated[
        int, typer.Option(help="The same seed draws the same jobs and the same fates.")
    ] = 1,
    within: Annotated[
        float | None,
        typer.Option(
            min=10,
            help="Seconds after which a stuck run is given up; longer than a job may live, if a submitter is killed.",
        ),
    ] = None,
    token_ref: TokenRef = "default",  # noqa: S107 - the name of a token, not one
    kie_account: Annotated[
        str, typer.Option(help="Which KIE account makes the tasks.")
    ] = "default",
    telegram_sandbox: TelegramSandbox = None,
    kie_sandbox: KieSandbox = None,
    who: Who = "",
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print the result as one object, the last line of stdout."),
    ] = False,
) -> None:
    """Run many jobs through the deployment that runs, on its hostile sandboxes; check each one.

    What `demo` does on this machine is done to a deployment: one whose KIE and Telegram are sandboxes,
    such as the compose file's trial. It works as a bot of its own, sendonce-trial, with users and play
    money of its own; its jobs and chats stay. Kill and restart what you like meanwhile: exit code 0 only
    when nothing is lost, nothing is shown twice and no money is wrong.
    """
    from sendonce_cli.probes.stay import Stay  # noqa: PLC0415 - other commands start faster
    from sendonce_cli.trial.run import run as run_trial  # noqa: PLC0415 - as above

    around = surroundings()
    kie_url = kie_sandbox or around.kie_url
    telegram_url = telegram_sandbox or around.telegram_url
    if kie_url is None or telegram_url is None:
        raise Trouble(
            "this deployment's KIE and Telegram are not known to be sandboxes",
            hint="run it on `sendonce up`, or name both: --kie-sandbox URL --telegram-sandbox URL",
        )
    stay = Stay(
        bot=TRIAL_BOT,
        kie_account=kie_account,
        gateway_url=None,
        telegram_url=telegram_url,
        chat_id=None,
        token_ref=token_ref,
        media=(),
        patience=PATIENCE,
        by=signed(who=who, why="sendonce trial"),
    )
    options = Options(
        jobs=jobs,
        faults=faults,
        seed=seed,
        within=within or WITHIN + jobs * PER_JOB,
        what="trial",
    )
    console = err() if as_json else out()
    verdict = run(run_trial(chosen(), stay, options, kie_url=kie_url, console=console))
    if as_json:
        print_json(verdict.as_json())
    if not verdict.is_clean:
        raise typer.Exit(FAILED)
