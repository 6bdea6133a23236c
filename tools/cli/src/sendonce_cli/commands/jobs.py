"""`sendonce jobs`: any job, and everything that happened to it."""

from typing import Annotated, Final
from uuid import UUID

import typer

from contracts.api import JobsView, JobView, OneJob
from contracts.ops import JobStory, ListJobs, ShowJob
from contracts.refusals import RefusalName
from contracts.values import JobState
from sendonce_cli.asking import Desk, Refused, desk, is_name
from sendonce_cli.group import group, run
from sendonce_cli.screen import out, print_json
from sendonce_cli.screens.jobs import job_screen, jobs_screen
from sendonce_cli.trouble import Trouble

app = group("jobs", "The jobs, and what became of them.")

LONGEST_LIST: Final = 500  # what job-store lists at once


@app.command("list")
def list_jobs(
    bot: Annotated[str | None, typer.Option(help="Only this bot's.")] = None,
    state: Annotated[
        JobState | None,
        typer.Option(metavar="STATE", help=f"Only those in this state: {', '.join(JobState)}."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=LONGEST_LIST, help="How many, newest first.")
    ] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as one object.")] = False,
) -> None:
    """List the newest jobs."""
    view = run(_list(bot=bot, state=state, limit=limit))
    if as_json:
        print_json(view)
    else:
        console = out()
        console.print(jobs_screen(view, width=console.width))


@app.command()
def show(
    job: Annotated[
        str, typer.Argument(help="Its id, its short name such as 7F3K2, or the bot's own key.")
    ],
    bot: Annotated[str, typer.Option(help="Whose key it is.")] = "default",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the whole story as one object.")
    ] = False,
) -> None:
    """Show one job with its results, its money and everything that happened to it."""
    story = run(_show(job, bot=bot))
    if as_json:
        print_json(story)
    else:
        out().print(job_screen(story))


async def _list(*, bot: str | None, state: JobState | None, limit: int) -> JobsView:
    async with desk() as asking:
        return await asking.ops("jobs.list", ListJobs, JobsView, bot=bot, state=state, limit=limit)


async def _show(name: str, *, bot: str) -> JobStory:
    async with desk() as asking:
        return await asking.ops(
            "jobs.show", ShowJob, JobStory, job_id=await find(asking, name, bot=bot)
        )


async def find(asking: Desk, name: str, *, bot: str) -> UUID:
    """Find a job by whichever of its names was given."""
    try:
        return UUID(name)
    except ValueError:
        pass
    newest = await asking.ops("jobs.list", ListJobs, JobsView, limit=LONGEST_LIST)
    by_label = [job for job in newest.jobs if job.label == name.upper()]
    if len(by_label) == 1:
        return by_label[0].id
    try:
        return (await asking.bot(bot, "jobs.get", OneJob, JobView, key=name)).id
    except Refused as refused:
        if not is_name(refused, RefusalName.UNKNOWN_JOB):
            raise
        raise _not_found(name, bot, by_label) from refused


def _not_found(name: str, bot: str, by_label: list[JobView]) -> Trouble:
    if by_label:
        return Trouble(
            f"{len(by_label)} jobs are called {name}",
            hint="use one of the ids: " + ", ".join(str(j.id) for j in by_label),
        )
    return Trouble(
        f"no job is called {name}",
        hint=f"short names reach back {LONGEST_LIST} jobs; keys are those of bot {bot} (--bot)",
    )
