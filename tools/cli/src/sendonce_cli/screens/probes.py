"""What probes found: a row for each phase, and everything that was not as expected in full."""

from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sendonce_cli.probes.items import Found, Item, PhaseFound, Verdict
from sendonce_cli.screen import span_text, table
from sendonce_cli.screens.reading import shown

MARKS: Final = {Found.OK: "ok", Found.WARNING: "warning", Found.FAILED: "failed"}
STYLES: Final = {Found.OK: "good", Found.WARNING: "warn", Found.FAILED: "bad"}


def verdict_screen(verdict: Verdict, *, what: str, every: bool) -> RenderableType:
    """Return the table of phases, what is wrong, and the verdict in one line; ``every`` names all items."""
    pieces: list[RenderableType] = [_phases(verdict, every=every)]
    for phase in verdict.phases:
        pieces += [_wrong(phase, alike) for alike in _alike(phase.items)]
    if verdict.left:
        pieces.append(_left(verdict.left))
    pieces.append(_sentence(verdict, what=what))
    return Group(*pieces)


def _phases(verdict: Verdict, *, every: bool) -> Table:
    rows = table(">#", "phase", "!", ">passed!", ">time!")
    for phase in verdict.phases:
        passed = sum(item.found is Found.OK for item in phase.items)
        rows.add_row(
            str(phase.number),
            Text(phase.title, style="name" if every else ""),
            _mark(phase.found),
            f"{passed}/{len(phase.items)}",
            Text(span_text(sum(item.seconds for item in phase.items)), style="dim"),
            end_section=every,
        )
        if every:
            for item in phase.items:
                time = Text(span_text(item.seconds), style="dim")
                rows.add_row("", f"  {item.name}", _mark(item.found), "", time)
    return rows


def _mark(found: Found) -> Text:
    return Text(MARKS[found], style=STYLES[found])


def _alike(items: tuple[Item, ...]) -> list[list[Item]]:
    """Put together what could not be shown for one and the same reason."""
    groups: dict[tuple[object, ...], list[Item]] = {}
    for item in items:
        if item.found is not Found.OK:
            alone = item.name if item.found is Found.FAILED else ""
            groups.setdefault((item.found, item.seen, item.todo, alone), []).append(item)
    return list(groups.values())


def _wrong(phase: PhaseFound, items: list[Item]) -> RenderableType:
    item = items[0]
    is_all = len(items) == len(phase.items) > 1
    names = "all of it" if is_all else ", ".join(one.name for one in items)
    head = Text.assemble(
        (f"{MARKS[item.found]:<7} ", STYLES[item.found]),
        (f"{phase.number} {phase.name} · {names}", "head"),
    )
    told = Table.grid(padding=(0, 1))
    told.add_column(style="quiet", no_wrap=True, min_width=10, justify="right")
    told.add_column(overflow="fold")
    if len(items) == 1:
        told.add_row("expected", Text(item.expected))
    # What was seen may be foreign: shown, never obeyed.
    told.add_row("seen", Text(shown(item.seen), style=STYLES[item.found]))
    told.add_row("to do", Text(item.todo))
    return Group(head, told, "")


def _left(left: tuple[str, ...]) -> RenderableType:
    told = Table.grid(padding=(0, 1))
    told.add_column(min_width=10)
    told.add_column(overflow="fold")
    for line in left:
        told.add_row("", Text(shown(line), style="warn"))
    head = Text.assemble((f"{MARKS[Found.WARNING]} ", "warn"), ("could not be tidied up", "head"))
    return Group(head, told, "")


def _sentence(verdict: Verdict, *, what: str) -> Text:
    counted = f"{verdict.count(Found.OK)} of {sum(len(phase.items) for phase in verdict.phases)}"
    took = f"in {span_text(verdict.seconds)}"
    match verdict.found:
        case Found.OK:
            return Text(f"{what}: all well, {counted} {took}.", style="good")
        case Found.WARNING:
            return Text(f"{what}: nothing failed, {counted} could be shown, {took}.", style="warn")
        case _:
            failed = verdict.count(Found.FAILED)
            return Text(f"{what}: {failed} failed, {counted} passed {took}.", style="bad")
