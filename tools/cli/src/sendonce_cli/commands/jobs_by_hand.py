"""`sendonce jobs redeliver | resend | refund | cancel`: one job, or all of a bad hour."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid4

import typer

from contracts.api import JobsView
from contracts.ops import ListJobs
from contracts.repairs import (
    CancelJobs,
    JobsRepair,
    RedeliverJobs,
    RefundJobs,
    Repaired,
    RepairsView,
    ResendJobs,
)
from contracts.values import JobState
from sendonce_cli.asking import Desk, desk
from sendonce_cli.by_hand import AsJson, DryRun, Hand, Who, Why, Yes, hand, in_turn
from sendonce_cli.commands.jobs import LONGEST_LIST, app, find
from sendonce_cli.group import run
from sendonce_cli.screen import out, print_json
from sendonce_cli.screens.repairs import repaired_screen
from sendonce_cli.spans import moment
from sendonce_cli.trouble import misuse

__all__ = ["app"]

Jobs = Annotated[
    list[str] | None,
    typer.Argument(help="Their ids, short names or keys.", show_default=False),
]
Bot = Annotated[
    str | None, typer.Option(help="All of this bot's; or whose keys are named.", show_default=False)
]
State = Annotated[
    JobState | None,
    typer.Option(metavar="STATE", help="All in this state.", show_default=False),
]
Since = Annotated[
    str | None,
    typer.Option(help="All created since: 2h, 90m, or a date and time.", show_default=False),
]
Until = Annotated[str | None, typer.Option(help="And before.", show_default=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One of the verbs, and how it is spoken of."""

    verb: str
    request: type[JobsRepair]
    done: str
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which jobs: those named, or all that match."""

    names: Sequence[str]
    bot: str | None
    state: JobState | None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_by_name(self) -> bool:
        """Claim that each was named."""
        return bool(self.names)

    @property
    def is_bounded(self) -> bool:
        """Claim that not simply every job there is was meant."""
        return self.is_by_name or self.since is not None or self.state is not None


@app.command()
def redeliver(
    jobs: Jobs = None,
    *,
    bot: Bot = None,
    state: State = None,
    since: Since = None,
    until: Until = None,
    why: Why = "",
    who: Who = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Try again to show what is not shown yet.

    What was refused is asked for anew, what waits goes at once. What is in its chat is never sent a second time.
    """
    wanted = Wanted(names=jobs or (), bot=bot, state=state, **_span(since, until))
    change = Change(verb="jobs.redeliver", request=RedeliverJobs, done="redelivered")
    _change(change, wanted, hand(who=who, why=why, dry_run=dry_run), yes=yes, as_json=as_json)


@app.command()
def resend(
    jobs: Jobs = None,
    *,
    bot: Bot = None,
    key: Annotated[
        str,
        typer.Option(help="Names this copy: the same makes no second one. Made up when not given."),
    ] = "",
    why: Why = "",
    who: Who = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Show a deliberate copy of what was shown: a new job that costs nothing."""
    wanted = Wanted(names=jobs or (), bot=bot, state=None)
    change = Change(
        verb="jobs.resend", request=ResendJobs, done="copied", key=key or f"cli-{uuid4()}"
    )
    _change(change, wanted, hand(who=who, why=why, dry_run=dry_run), yes=yes, as_json=as_json)


@app.command()
def refund(
    jobs: Jobs = None,
    *,
    bot: Bot = None,
    state: State = None,
    since: Since = None,
    until: Until = None,
    why: Why = "",
    who: Who = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Give back what was paid, once. The result stays where it is."""
    wanted = Wanted(names=jobs or (), bot=bot, state=state, **_span(since, until))
    change = Change(verb="jobs.refund", request=RefundJobs, done="refunded")
    _change(change, wanted, hand(who=who, why=why, dry_run=dry_run), yes=yes, as_json=as_json)


@app.command()
def cancel(
    jobs: Jobs = None,
    *,
    bot: Bot = None,
    since: Since = None,
    until: Until = None,
    why: Why = "",
    who: Who = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Cancel what certainly was not submitted yet; its price goes back."""
    wanted = Wanted(names=jobs or (), bot=bot, state=None, **_span(since, until))
    change = Change(verb="jobs.cancel", request=CancelJobs, done="cancelled")
    _change(change, wanted, hand(who=who, why=why, dry_run=dry_run), yes=yes, as_json=as_json)


def _span(since: str | None, until: str | None) -> dict[str, datetime]:
    """Read from when to when; misuse is said before anybody is asked."""
    given = {"since": since, "until": until}
    return {name: moment(text, option=f"--{name}") for name, text in given.items() if text}


def _change(change: Change, wanted: Wanted, by: Hand, *, yes: bool, as_json: bool) -> None:
    if not wanted.is_bounded:
        raise misuse("which jobs?", hint="name them, or say --since 2h or --state STATE")
    named = run(_named(wanted))
    if not wanted.is_by_name and not by.dry_run and not yes and named:
        would = run(_changed(change, list(named), by, dry_run=True))
        out().print(repaired_screen(would, verb=change.done, dry_run=True, names=named))
        typer.confirm("Go on?", abort=True)
    done = run(_changed(change, list(named), by, dry_run=by.dry_run))
    if as_json:
        print_json(RepairsView(repaired=tuple(done)))
    else:
        out().print(repaired_screen(done, verb=change.done, dry_run=by.dry_run, names=named))
    if wanted.is_by_name and not all(one.did for one in done):
        raise typer.Exit(1)


async def _named(wanted: Wanted) -> dict[UUID, str]:
    """Find the jobs that are meant, each with its short name."""
    async with desk() as asking:
        if wanted.is_by_name:
            bot = wanted.bot or "default"
            return {await find(asking, name, bot=bot): name for name in wanted.names}
        return await _matching(asking, wanted)


async def _matching(asking: Desk, wanted: Wanted) -> dict[UUID, str]:
    found: dict[UUID, str] = {}
    before: UUID | None = None
    while True:
        page = await asking.ops(
            "jobs.list",
            ListJobs,
            JobsView,
            bot=wanted.bot,
            state=wanted.state,
            since=wanted.since,
            until=wanted.until,
            before=before,
            limit=LONGEST_LIST,
        )
        if not page.jobs:
            return found
        found |= {job.id: job.label for job in page.jobs}
        before = page.jobs[-1].id


async def _changed(
    change: Change, named: Sequence[UUID], by: Hand, *, dry_run: bool
) -> list[Repaired]:
    key = {} if change.key is None else {"key": change.key}
    async with desk() as asking:

        async def ask(some: Sequence[UUID]) -> Sequence[Repaired]:
            view = await asking.ops(
                change.verb,
                change.request,
                RepairsView,
                job_ids=tuple(some),
                **key,
                **by.fields(dry_run=dry_run),
            )
            return view.repaired

        return await in_turn(named, ask, doing=change.verb)
