"""`sendonce users export | forget`: all that is kept of one user, handed out or taken out."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from pydantic import JsonValue

from contracts.users import ExportUser, ForgetUser, UserExportView, UserForgottenView
from sendonce_cli.asking import Desk, desk
from sendonce_cli.by_hand import AsJson, DryRun, Hand, Who, Why, Yes, hand
from sendonce_cli.group import group, run
from sendonce_cli.screen import err, out, print_json
from sendonce_cli.screens.users import forgotten_screen, kept_screen
from sendonce_cli.trouble import misuse

app = group("users", "All that is kept of one user: handed out, or forgotten.")

Bot = Annotated[str, typer.Argument(help="Whose user it is.", show_default=False)]
User = Annotated[int, typer.Argument(min=1, help="The user's Telegram id.", show_default=False)]


@app.command()
def export(
    bot: Bot,
    user: User,
    *,
    out_file: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Write it to this file, which must not exist.", show_default="-"
        ),
    ] = None,
    why: Why = "",
    who: Who = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Print all that is kept of a user as one JSON document: every row of every table.

    A dry run says how many rows there are.
    """
    by = hand(who=who, why=why, dry_run=dry_run)
    if out_file is not None and out_file.exists():
        raise misuse(f"{out_file} exists", hint="name a file that does not")
    if dry_run:
        counts = run(_counts(bot, user, by))
        print_json(counts) if as_json else out().print(kept_screen(counts))
        return
    document = json.dumps(run(_document(bot, user, by)), ensure_ascii=False)
    if out_file is None:
        print(document)
        return
    # Nobody else's business on this machine.
    with os.fdopen(os.open(out_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{document}\n")
    err().print(f"written to {out_file}", markup=False)


@app.command()
def forget(
    bot: Bot,
    user: User,
    *,
    why: Why = "",
    who: Who = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Take out prompts, bodies, results and chats of all of a user's jobs, for good.

    Amounts, states and ids stay. While a job is open nothing is forgotten.
    """
    by = hand(who=who, why=why, dry_run=dry_run)
    tried = run(_forgotten(bot, user, by, dry_run=True))
    done = tried
    if not dry_run and tried.did:
        if not yes:
            out().print(forgotten_screen(tried, dry_run=True))
            typer.confirm("Nothing brings it back. Go on?", abort=True)
        done = run(_forgotten(bot, user, by, dry_run=False))
    print_json(done) if as_json else out().print(forgotten_screen(done, dry_run=dry_run))
    if not done.did:
        raise typer.Exit(1)


async def _counts(bot: str, user: int, by: Hand) -> UserExportView:
    async with desk() as asking:
        return await _page(asking, bot, user, by)


async def _page(asking: Desk, bot: str, user: int, by: Hand, **place: object) -> UserExportView:
    return await asking.ops(
        "users.export", ExportUser, UserExportView, bot=bot, user_id=user, **by.fields(), **place
    )


async def _document(bot: str, user: int, by: Hand) -> dict[str, JsonValue]:
    async with desk() as asking:
        tables = (await _page(asking, bot, user, by)).tables
        kept: dict[str, JsonValue] = {}
        for table in tables:
            rows: list[JsonValue] = []
            while page := (
                await _page(asking, bot, user, by, table=table.name, offset=len(rows))
            ).rows:
                rows += [one.row for one in page]
            kept[table.name] = rows
    return {"bot": bot, "user_id": user, "kept": kept}


async def _forgotten(bot: str, user: int, by: Hand, *, dry_run: bool) -> UserForgottenView:
    """Ask until nothing is left; a dry run asks once, for it changes nothing."""
    jobs = 0
    async with desk() as asking:
        while True:
            view = await asking.ops(
                "users.forget",
                ForgetUser,
                UserForgottenView,
                bot=bot,
                user_id=user,
                **by.fields(dry_run=dry_run),
            )
            jobs += view.jobs
            if dry_run or not view.did or not view.left:
                return view.model_copy(update={"jobs": jobs})
