"""What a server's trace says a user did, what it refused, and which permission lets a user do what."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from contracts.permissions import KEY, Permission, Right

LINE: Final = re.compile(
    r'cid:(?P<cid>\d+).*nkey:(?P<key>U\w+)" - (?P<way><<-|->>) \[(?P<word>\S+) (?P<rest>.*)\]$'
)
REFUSAL: Final = re.compile(r'Permissions Violation for (Publish|Subscription) to "([^"]+)"')
STARTED: Final = "Starting nats-server"
RIGHTS: Final = {
    "PUB": Right.PUBLISH,
    "HPUB": Right.PUBLISH,
    "Publish": Right.PUBLISH,
    "SUB": Right.SUBSCRIBE,
    "Subscription": Right.SUBSCRIBE,
}
WITH_REPLY: Final = {"MSG": 4, "HMSG": 5}  # words of a delivered message that asks for an answer


@dataclass(frozen=True, slots=True, order=True)
class Deed:
    """Something a key tried; an answer goes where a message that came by the same connection asked for it."""

    key: str
    right: Right
    subject: str
    is_answer: bool = False


def done(trace: str) -> set[Deed]:
    """Return all that users tried, by the server's trace."""
    found: set[Deed] = set()
    awaited: set[tuple[str, str]] = set()  # connection, subject
    for line in trace.splitlines():
        if STARTED in line:
            awaited.clear()  # connections are counted anew
        if (match := LINE.search(line)) is None:
            continue
        cid, key, way, word, rest = match.groups()
        words = rest.split()
        if way == "->>" and len(words) == WITH_REPLY.get(word):
            awaited.add((cid, words[2]))
        elif way == "<<-" and word in RIGHTS:
            found.add(Deed(key, RIGHTS[word], words[0], (cid, words[0]) in awaited))
    return found


def refused(trace: str) -> set[Deed]:
    """Return what the server let nobody do."""
    found = set()
    for line in trace.splitlines():
        match, refusal = LINE.search(line), REFUSAL.search(line)
        if match is not None and refusal is not None:
            found.add(Deed(match["key"], RIGHTS[refusal[1]], refusal[2]))
    return found


def covers(pattern: str, subject: str) -> bool:
    """Tell whether a permission for a pattern is one for a subject, itself a pattern or not; as NATS does."""
    wanted, tokens = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted = wanted[:-1]
        if len(tokens) <= len(wanted):
            return False
        tokens = tokens[: len(wanted)]
    return len(wanted) == len(tokens) and all(
        one == token or (one == "*" and token != ">")
        for one, token in zip(wanted, tokens, strict=True)
    )


def admits(row: Permission, deed: Deed) -> bool:
    """Tell whether a row is enough for this."""
    if row.right is Right.ANSWER:
        return deed.is_answer
    return row.right is deed.right and covers(row.subject.replace(KEY, deed.key), deed.subject)


def needed(rows: Iterable[Permission], deeds: Iterable[Deed]) -> set[Permission]:
    """Return the rows without which something of this would have been refused."""
    rows = list(rows)
    found: set[Permission] = set()
    for deed in deeds:
        admitting = [row for row in rows if admits(row, deed)]
        if len(admitting) == 1:
            found.update(admitting)
    return found
