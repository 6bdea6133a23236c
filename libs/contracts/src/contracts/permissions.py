"""What every user of NATS may do, and why: the one table its configuration, docs/security.md and the tests are made of.

Whatever does not stand here is refused by the server.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contracts import streams, subjects
from contracts.documents.surface import (
    BOT_NAME,
    EVENT_NAME,
    FACTS,
    QUESTIONS,
    SERVICES,
    Fact,
    Party,
)

MIGRATE: Final = "migrate"  # `sendonce migrate`
OPERATOR: Final = "operator"  # the command, in the hand of somebody who may change things
OBSERVER: Final = "observer"  # the command, for looking only
BOT: Final = "bot."  # before a bot's slug; no other user's name has a dot
USERS: Final = (*map(str, SERVICES), MIGRATE, OPERATOR, OBSERVER)

KEY: Final = "{key}"  # the public key of a user; only the command's inbox is named by it
API: Final = "$JS.API"

# What an observer may ask: whatever signs nothing and changes nothing.
LOOKS: Final = (
    "bots.list",
    "jobs.list",
    "jobs.show",
    "deliveries.uncertain",
    "dead.list",
    "dead.show",
    "orphans.list",
    "orphans.show",
    "wallets.statement",
    "audit.list",
    "status",
    "doctor",
    "schema",
)
# What the command asks in the name of a bot.
LOOKS_OF_A_BOT: Final = ("jobs.get", "wallets.get")
# The bots that `sendonce check`, `smoke` and `trial` are: whoever may change things may also try whether they work.
CHECK_BOT, SMOKE_BOT, TRIAL_BOT = "sendonce-check", "sendonce-smoke", "sendonce-trial"
PROBES: Final = (CHECK_BOT, SMOKE_BOT, TRIAL_BOT)


class Right(StrEnum):
    """What may be done with a subject."""

    PUBLISH = "publish"
    SUBSCRIBE = "subscribe"
    ANSWER = "answer"  # one reply to each message received, wherever its sender wants it


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One row: a right, the subject it is good for, and what would fail without it."""

    user: str
    right: Right
    subject: str
    why: str


def bot_user(slug: str) -> str:
    """Return the name of a bot's user."""
    return BOT + slug


def permissions(user: str) -> tuple[Permission, ...]:
    """Return all that a user may do; `ValueError` for a name nobody has."""
    if user.startswith(BOT):
        rows = _bot(user.removeprefix(BOT))
    elif user in SERVICES:
        rows = _service(Party(user))
    elif user == MIGRATE:
        rows = _migrate()
    elif user == OPERATOR:
        rows = _operator()
    elif user == OBSERVER:
        rows = _command(LOOKS)
    else:
        raise ValueError(f"no user is named {user}")
    return tuple(
        Permission(user=user, right=right, subject=subject, why=why) for right, subject, why in rows
    )


def inbox(prefix: str) -> str:
    """Return where a user hears replies; no other user may listen there."""
    return f"{prefix}.>"


_Row = tuple[Right, str, str]


def _bot(slug: str) -> Iterator[_Row]:
    yield Right.SUBSCRIBE, inbox(f"_INBOX_{slug}"), "hears replies"
    for question in QUESTIONS:
        if Party.BOT in question.asked_by:
            yield Right.PUBLISH, _of_bot(question.address, slug), "asks about its own jobs"
    for fact in FACTS:
        # What names no bot in its address is no bot's: an orphan may be anybody's.
        if fact.read_by is Party.BOT and BOT_NAME in fact.address:
            yield Right.SUBSCRIBE, _of_bot(fact.address, slug), "is woken by what became of them"


def _service(party: Party) -> Iterator[_Row]:
    written = [fact for fact in FACTS if party in fact.written_by]
    read = [fact for fact in FACTS if fact.read_by is party]
    yield Right.SUBSCRIBE, inbox(f"_INBOX.{party}"), "hears replies"
    yield from ((Right.PUBLISH, _of_any(fact.address), "tells") for fact in written)
    for question in QUESTIONS:
        if party in question.asked_by:
            yield Right.PUBLISH, question.address, "asks before it acts"
    for fact in read:
        yield from _reads(fact)
    for stream in _streams(*written, *read):
        yield Right.PUBLISH, f"{API}.STREAM.INFO.{stream}", "refuses to start on drift"
    if party is Party.STORE:
        yield from _answers()
        yield from _keeps(read)
    if party is Party.DELIVERER:
        yield from _brings_back(read)


def _reads(fact: Fact) -> Iterator[_Row]:
    of = _durable(fact)
    yield Right.PUBLISH, f"{API}.CONSUMER.INFO.{of}", "sees whether its durable stands"
    yield Right.PUBLISH, f"{API}.CONSUMER.MSG.NEXT.{of}", "pulls"
    yield Right.PUBLISH, f"$JS.ACK.{of}.>", "acknowledges, or has it come again"


def _answers() -> Iterator[_Row]:
    yield Right.ANSWER, "", "answers whoever asked, once"
    for question in QUESTIONS:
        yield Right.SUBSCRIBE, _of_any(question.address), "is asked"
    for verb in ("PING", "INFO", "STATS"):
        for whom in ("", ".job-store", ".job-store.*"):
            yield Right.SUBSCRIBE, f"$SRV.{verb}{whom}", "is found as a service"


def _keeps(read: Sequence[Fact]) -> Iterator[_Row]:
    """Return what the judge does for all: it watches durables, makes room, and finds the way back after a restore."""
    work = [fact for fact in FACTS if fact.durable]
    for fact in work:
        if fact not in read:
            yield Right.PUBLISH, f"{API}.CONSUMER.INFO.{_durable(fact)}", "watches all durables"
    yield from _brings_back(work)
    for stream in (each.name for each in streams.STREAMS):
        yield Right.PUBLISH, f"{API}.STREAM.PURGE.{stream}", "takes away what is read or old"
        yield (
            Right.PUBLISH,
            f"{API}.STREAM.MSG.GET.{stream}",
            "sees how old it is, and what it read",
        )
    for fact in read:
        yield (
            Right.PUBLISH,
            f"{API}.CONSUMER.DELETE.{_durable(fact)}",
            "reads again after a restore",
        )


def _brings_back(facts: Sequence[Fact]) -> Iterator[_Row]:
    for fact in facts:
        made = f"{_durable(fact)}.{fact.address}"
        yield Right.PUBLISH, f"{API}.CONSUMER.CREATE.{made}", "brings back a deleted durable"


def _durable(fact: Fact) -> str:
    return f"{fact.stream}.{fact.durable}"


def _streams(*facts: Fact) -> list[str]:
    return sorted({fact.stream for fact in facts})


def _migrate() -> Iterator[_Row]:
    yield Right.SUBSCRIBE, inbox("_INBOX.migrate"), "hears replies"
    for stream in streams.STREAMS:
        for verb, why in (("INFO", "looks at"), ("CREATE", "makes"), ("UPDATE", "mends")):
            yield Right.PUBLISH, f"{API}.STREAM.{verb}.{stream.name}", f"{why} the streams"
    for one in streams.CONSUMERS:
        of = f"{one.stream}.{one.durable}"
        yield Right.PUBLISH, f"{API}.CONSUMER.INFO.{of}", "looks at the durables"
        yield Right.PUBLISH, f"{API}.CONSUMER.CREATE.{of}.{one.subject}", "makes or mends durables"


def _command(verbs: tuple[str, ...]) -> Iterator[_Row]:
    yield Right.SUBSCRIBE, inbox(f"_INBOX.{KEY}"), "hears replies"
    for verb in verbs:
        yield Right.PUBLISH, subjects.ops(verb), "asks"
    for verb in LOOKS_OF_A_BOT:
        yield Right.PUBLISH, subjects.api("*", verb), "looks in the name of a bot"


def _operator() -> Iterator[_Row]:
    yield from _command(subjects.OPS_VERBS)
    looks = [
        (Right.PUBLISH, subjects.api(slug, verb)) for slug in PROBES for verb in LOOKS_OF_A_BOT
    ]
    for slug in PROBES:
        for right, subject, _ in _bot(slug):
            if (right, subject) not in looks:
                yield right, subject, "tries what a bot may"
    for stream in streams.STREAMS:
        yield Right.PUBLISH, f"{API}.STREAM.INFO.{stream.name}", "looks at the streams"
    for one in streams.CONSUMERS:
        of = f"{one.stream}.{one.durable}"
        yield Right.PUBLISH, f"{API}.CONSUMER.INFO.{of}", "looks at the durables"


def _of_bot(address: str, slug: str) -> str:
    return address.replace(BOT_NAME, slug).replace(EVENT_NAME, "*")


def _of_any(address: str) -> str:
    return address.replace(BOT_NAME, "*").replace(EVENT_NAME, "*")
