"""What an operator types while the system stands still; a command that was killed is typed again."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from chassis import bus
from crash.bench import COMMAND, Bench, in_database, in_file
from crash.blows import Blow
from crash.book import noted_in
from job_store.app import NOT_MOVED, Tally, consumer_specs, stream_specs

Step = Callable[[Bench], Awaitable[None]]
Judge = Callable[[Bench], Awaitable[list[str]]]  # what is broken


async def made(on: Bench) -> list[str]:
    """The schema with its checksums and rights, the streams and durables: all as they should be."""
    view, broken = await on.schema(), []
    if view.missing_count or any(one.applied_sha256 != one.sha256 for one in view.migrations):
        broken.append(f"the schema lacks {view.missing_count} objects, or checksums")
    if not on.rights:
        on.rights = await on.rights_now()  # of a command nobody disturbed
    if await on.rights_now() != on.rights:
        broken.append("rights are missing")
    return broken + list(await bus.check_streams(on.js, stream_specs(), consumer_specs()))


async def written(on: Bench) -> list[str]:
    """What was exported is what was there."""
    return _same(on, await in_file(on.file, on.directory / "read"))


async def written_or_not(on: Bench) -> list[str]:
    """A file has its name when it is whole."""
    return await written(on) if on.file.exists() else []


async def moved_in(on: Bench) -> list[str]:
    """What is in Postgres is what was in the file."""
    return _same(on, await in_database(on.url, on.directory / "checked"))


async def moved_in_or_not(on: Bench) -> list[str]:
    """All of it, or nothing."""
    if (await on.schema()).missing_count:
        return []  # not even its tables
    there = await in_database(on.url, on.directory / "checked")
    return _same(on, there) if there.rows else []


async def nothing_to_see(_on: Bench) -> list[str]:
    """Between the two the schema may be anywhere on its way."""
    return []


def _same(on: Bench, found: Tally) -> list[str]:
    return [] if found.as_json() == on.held.as_json() else [f"holds {found.as_json()}"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """A command, what it finds, and what must be so when it was killed, and when it was typed again."""

    name: str
    words: tuple[str, ...]
    again: tuple[str, ...] = ()  # the same words, if nothing else is said
    storage: Literal["postgres", "json"] = "postgres"
    finds: Step
    killed: Judge = nothing_to_see
    ends: Judge


ERRANDS: Final[Mapping[str, Errand]] = {
    errand.name: errand
    for errand in (
        Errand(name="migrate-up", words=("migrate", "up"), finds=Bench.with_nothing, ends=made),
        Errand(name="migrate-mend", words=("migrate", "up"), finds=Bench.with_drift, ends=made),
        Errand(
            name="migrate-down",
            words=("migrate", "down", "--yes"),
            again=("migrate", "up"),
            finds=Bench.with_schema,
            ends=made,
        ),
        Errand(
            name="export",
            words=("export", "{file}"),
            finds=Bench.with_everything,
            killed=written_or_not,
            ends=written,
        ),
        Errand(
            name="import",
            words=("import", "{whole}"),
            finds=Bench.with_schema,
            killed=moved_in_or_not,
            ends=moved_in,
        ),
        Errand(
            name="export-journal",
            words=("export", "{file}"),
            storage="json",
            finds=Bench.with_a_journal,
            killed=written_or_not,
            ends=written,
        ),
    )
}


async def noted(on: Bench, errand: Errand) -> set[Blow]:
    """Type it undisturbed, and return where it came."""
    notes = on.directory / f"{errand.name}.notes"
    await errand.finds(on)
    on.book.give(COMMAND, do="note", into=str(notes))
    try:
        broken = await _typed(on, errand, errand.words)
    finally:
        on.book.take_back(COMMAND)
    if errand.again:
        broken += await _typed(on, errand, errand.again)
    if broken := broken + await errand.ends(on):
        raise RuntimeError(f"{errand.name}, undisturbed: {'; '.join(broken)}")
    return {Blow(COMMAND, *line) for line in noted_in(notes)}


async def struck(on: Bench, errand: Errand, blow: Blow) -> list[str] | None:
    """Kill it at a point, type it again, and say what is broken; None when it did not come there."""
    await errand.finds(on)
    on.book.give(COMMAND, at=blow.point, when=blow.when, do=blow.do)
    try:
        broken = await _typed(on, errand, errand.words)
        fell = on.book.is_obeyed(COMMAND)
    finally:
        on.book.take_back(COMMAND)
    if not fell:
        return None
    broken += [f"when it was killed: {what}" for what in await _judged(errand.killed, on)]
    broken += await _typed(on, errand, errand.again or errand.words)
    return broken + await _judged(errand.ends, on)


async def _judged(judge: Judge, on: Bench) -> list[str]:
    """What cannot be read is broken."""
    try:
        return await judge(on)
    except (*NOT_MOVED, OSError) as problem:
        return [repr(problem)]


async def _typed(on: Bench, errand: Errand, words: tuple[str, ...]) -> list[str]:
    filled = [word.format(file=on.file, whole=on.whole) for word in words]
    return [] if await on.typed(*filled, storage=errand.storage) else ["it did not end"]
