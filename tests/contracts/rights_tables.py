"""The tables of docs/security.md: who may do what in NATS and in Postgres, as the code has it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

from contracts.permissions import USERS, Permission, Right, bot_user, permissions
from grants_kit import Grant, grants
from job_store.privileges import READER_ROLE, ROLES, STORE_ROLE

T, K = TypeVar("T"), TypeVar("K")
BEGIN, END = "<!-- made by `make docs-api` -->", "<!-- end -->"
SLUG: Final = "BOT"  # stands for any bot's
WHO: Final = {STORE_ROLE: "job-store", READER_ROLE: "people who look"}


def filled_in(document: str) -> str:
    """Return the document with both tables as they must be, between its marks."""
    parts = document.split(BEGIN)
    made = [nats_table(), postgres_table()]
    if len(parts) != len(made) + 1:
        raise ValueError(f"the document has {len(parts) - 1} places for {len(made)} tables")
    filled = [
        f"{BEGIN}\n\n{table}\n{END}{part.partition(END)[2]}"
        for table, part in zip(made, parts[1:], strict=True)
    ]
    return parts[0] + "".join(filled)


def nats_table() -> str:
    """Return every user's rights, those with one reason in one row."""
    rows = [row for user in (*USERS, bot_user(SLUG)) for row in permissions(user)]
    lines = ["| user | may | subjects | because it |", "|---|---|---|---|"]
    before = ""
    for (user, right, why), group in _grouped(rows, lambda row: (row.user, row.right, row.why)):
        name = f"**{_shown(user)}**" if user != before else ""
        lines.append(f"| {name} | {right} | {_subjects(group)} | {why} |")
        before = user
    return "\n".join((*lines, ""))


def postgres_table() -> str:
    """Return every table's rights, a column a role."""
    rows = grants()
    lines = [
        "| on | " + " | ".join(f"{WHO[role]} (`{role}`)" for role in ROLES) + " |",
        "|---|---|---|",
    ]
    for on in dict.fromkeys(row.on for row in rows):
        cells = [
            _rights([row for row in rows if (row.role, row.on) == (role, on)]) for role in ROLES
        ]
        lines.append(f"| {on.replace('SCHEMA', 'schema')} | {' | '.join(cells)} |")
    return "\n".join((*lines, ""))


def _subjects(rows: Sequence[Permission]) -> str:
    if rows[0].right is Right.ANSWER:
        return "whatever inbox a message it received names, for two minutes"
    return " ".join(_folded([_shown(row.subject) for row in rows]))


def _folded(subjects: Sequence[str]) -> Iterator[str]:
    """Write what begins alike once: `ops.{doctor, status}`."""
    for head, group in _grouped(subjects, _head):
        ends = [subject.removeprefix(head) for subject in group]
        yield f"`{head}{ends[0]}`" if len(ends) == 1 else f"`{head}{{{', '.join(ends)}}}`"


def _head(subject: str) -> str:
    tokens = subject.split(".")
    alike = {"$JS": 2, "api": 2}.get(tokens[0], 1)
    if subject.startswith("$JS.API."):
        alike = 5 if "MSG" in tokens else 4
    return ".".join(tokens[:alike]) + "."


def _shown(text: str) -> str:
    return text.replace(SLUG, "<bot>").replace("{key}", "<key>")


def _rights(rows: Iterable[Grant]) -> str:
    said = []
    for right, group in _grouped(rows, lambda row: row.right):
        columns = [row.column for row in group if row.column]
        said.append(f"{right} of {', '.join(columns)}" if columns else right)
    return ", ".join(said)


def _grouped(rows: Iterable[T], key: Callable[[T], K]) -> Iterable[tuple[K, list[T]]]:
    """Put together what has one key, in the order of each key's first."""
    groups: dict[K, list[T]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups.items()
