"""`sendonce doctor`: are all laws kept in the live database?"""

from typing import Annotated

import typer

from contracts.ops import AskDoctor, DoctorView
from sendonce_cli.asking import desk
from sendonce_cli.group import run
from sendonce_cli.screen import out, print_json
from sendonce_cli.screens.doctor import doctor_screen
from sendonce_cli.trouble import FAILED


def doctor(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print every finding as one object.")
    ] = False,
) -> None:
    """Check every law on the live database: money, showings, clocks, leases, leftovers.

    Exit code 0 only when all is well.
    """
    view = run(_ask())
    if as_json:
        print_json(view)
    else:
        out().print(doctor_screen(view))
    if not all(finding.ok for finding in view.findings):
        raise typer.Exit(FAILED)


async def _ask() -> DoctorView:
    async with desk() as asking:
        return await asking.ops("doctor", AskDoctor, DoctorView)
