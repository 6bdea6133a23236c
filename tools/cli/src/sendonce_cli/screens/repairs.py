"""What became of changes by hand, and what waits for one."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from rich.console import Group, RenderableType
from rich.text import Text

from contracts.repairs import (
    AuditView,
    DeadLettersView,
    DeadStory,
    PauseView,
    Repaired,
    SettledDead,
    UncertainView,
)
from sendonce_cli.screen import moment_text, table

REFUSED_SHOWN = 20


def repaired_screen(
    done: Sequence[Repaired], *, verb: str, dry_run: bool, names: Mapping[UUID, str] | None = None
) -> RenderableType:
    """Return how many were done, and each that was not with its reason."""
    outcomes = [
        (f"{(names or {}).get(one.id, '')} {one.id}".strip(), one.did, one.reason) for one in done
    ]
    pieces = _told(outcomes, verb=verb, dry_run=dry_run)
    copies = [one for one in done if one.copy_id is not None and not dry_run]
    pieces += [Text(f"  copy of {one.id}: {one.copy_id}", style="dim") for one in copies]
    return Group(*pieces)


def settled_screen(done: Sequence[SettledDead], *, verb: str, dry_run: bool) -> RenderableType:
    """Return the same of dead letters."""
    outcomes = [(f"dead letter {one.id}", one.did, one.reason) for one in done]
    return Group(*_told(outcomes, verb=verb, dry_run=dry_run))


def _told(
    outcomes: Sequence[tuple[str, bool, str]], *, verb: str, dry_run: bool
) -> list[RenderableType]:
    did = sum(ok for _, ok, _ in outcomes)
    refused = [(what, reason) for what, ok, reason in outcomes if not ok]
    word = f"would be {verb}" if dry_run else verb
    pieces: list[RenderableType] = [
        Text(f"{did} of {len(outcomes)} {word}", style="good" if did else "")
    ]
    pieces += [
        Text.assemble(("  not ", "warn"), what, (f": {reason}", "dim"))
        for what, reason in refused[:REFUSED_SHOWN]
    ]
    if len(refused) > REFUSED_SHOWN:
        pieces.append(
            Text(f"  and {len(refused) - REFUSED_SHOWN} more; --json names all", style="dim")
        )
    return pieces


def uncertain_screen(view: UncertainView) -> RenderableType:
    """Return one row a result that may be in its chat."""
    if not view.parts:
        return Text("nothing is uncertain", style="dim")
    rows = table("job!", "bot!", ">chat!", "kind!", "since!", "again from!", "result!", "content")
    for part in view.parts:
        rows.add_row(
            Text(part.label, style="name"),
            part.bot,
            str(part.chat_id),
            part.kind,
            moment_text(part.since),
            f"{part.may_send_again_at.astimezone():%H:%M:%S}",
            str(part.part_id),
            Text(part.content, style="dim", no_wrap=True, overflow="ellipsis"),
        )
    hint = "look into the chat, then: sendonce deliveries resolve RESULT --arrived | --send-again"
    return Group(rows, Text(hint, style="dim"))


def pause_screen(view: PauseView, *, dry_run: bool) -> RenderableType:
    """Return what stands still for a bot now."""
    would = "would be " if dry_run else ""
    released = f"; {view.released} that waited {would or 'are '}due now" if view.released else ""
    if not view.pauses:
        return Text(f"{view.bot}: nothing is paused{released}", style="good")
    lines = [Text(f"{view.bot}{released}", style="name")]
    lines += [
        Text.assemble((f"  {one.what} {would}paused", "warn"), (f" by {one.why}", "dim"))
        for one in view.pauses
    ]
    return Group(*lines)


def dead_screen(view: DeadLettersView) -> RenderableType:
    """Return one row a dead letter."""
    if not view.letters:
        return Text("no such dead letters", style="dim")
    rows = table(">id!", "at!", "subject!", ">bytes!", "settled!", "reason")
    for letter in view.letters:
        rows.add_row(
            str(letter.id),
            moment_text(letter.at),
            letter.subject,
            str(letter.size),
            letter.settled_as or "–",
            Text(letter.reason, style="dim"),
        )
    return rows


def dead_story_screen(story: DeadStory) -> RenderableType:
    """Return one with its bytes."""
    letter = story.letter
    settled = (
        f"{letter.settled_as} {moment_text(letter.settled_at)}" if letter.settled_as else "open"
    )
    return Group(
        Text.assemble(
            (f"dead letter {letter.id}  ", "name"), letter.subject, (f"  {settled}", "dim")
        ),
        Text(f"{moment_text(letter.at)}, {letter.durable}, message {letter.stream_seq}"),
        Text(letter.reason, style="warn"),
        Text(story.payload),
    )


def audit_screen(view: AuditView) -> RenderableType:
    """Return one row a change."""
    if not view.lines:
        return Text("nobody changed anything by hand", style="dim")
    rows = table("at!", "who", "what!", "of", "why")
    for line in view.lines:
        target = f"{line.target} {line.detail}".strip()
        rows.add_row(moment_text(line.at), line.who, line.verb, Text(target), Text(line.why))
    return rows
