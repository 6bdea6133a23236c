"""Laws of the table of NATS' rights, without a server."""

import pytest
from spoken import ROOT, asked

from contracts import ops, repairs
from contracts.documents.surface import API, OPS
from contracts.permissions import (
    LOOKS,
    LOOKS_OF_A_BOT,
    USERS,
    Right,
    bot_user,
    permissions,
)
from privilege.subjects import covers

ANYBODY = (*USERS, bot_user("shop"))
CHANGES_UNSIGNED = {"resume", "orphans.match"}


@pytest.mark.parametrize("user", ANYBODY)
def test_no_right_contains_another(user: str) -> None:
    rows = permissions(user)

    spare = [
        (one.subject, other.subject)
        for one in rows
        for other in rows
        if one is not other and one.right is other.right and covers(one.subject, other.subject)
    ]
    assert spare == []


@pytest.mark.parametrize("user", ANYBODY)
def test_nobody_listens_where_another_hears_replies(user: str) -> None:
    inboxes = {
        row.subject: row.user
        for anybody in (*ANYBODY, bot_user("shop-2"), bot_user("s"))
        for row in permissions(anybody)
        if row.subject.startswith("_INBOX")
    }

    heard = {
        owner
        for row in permissions(user)
        for inbox, owner in inboxes.items()
        if row.right is Right.SUBSCRIBE and covers(row.subject, inbox)
    }
    # The inbox of those who use the command is named by their key, which here is not known.
    assert heard - {"operator", "observer"} <= {user}


def test_a_bots_rights_name_it_and_no_other() -> None:
    ours, theirs = (permissions(bot_user(slug)) for slug in ("shop", "zoo"))

    assert [row.subject.replace("shop", "zoo") for row in ours] == [row.subject for row in theirs]
    assert all("shop" in row.subject.replace("_INBOX_", "").split(".") for row in ours)


def test_an_observer_may_ask_what_changes_nothing_and_all_of_that() -> None:
    signed = {
        verb for verb, (ask, _, _) in OPS.items() if issubclass(ask, ops.Signed | repairs.Repair)
    }

    assert set(LOOKS) == set(OPS) - signed - CHANGES_UNSIGNED


def test_the_command_may_ask_of_a_bot_what_its_sources_ask() -> None:
    of_operators = {(verb, ask.__name__) for verb, (ask, _, _) in OPS.items()}
    found = {
        verb for verb, ask, _ in asked(ROOT / "tools/cli/src") if (verb, ask) not in of_operators
    }

    # `sendonce check` asks this one late, as the bot that it is.
    assert found - {"jobs.expect"} == set(LOOKS_OF_A_BOT)
    assert found <= set(API)


def test_a_name_that_nobody_has_has_no_rights() -> None:
    with pytest.raises(ValueError, match="no user is named nobody"):
        permissions("nobody")


@pytest.mark.parametrize(
    "pattern,subject,is_covered",
    [
        ("a.b", "a.b", True),
        ("a.b", "a.c", False),
        ("a.*", "a.b", True),
        ("a.*", "a.*", True),
        ("a.*", "a.b.c", False),
        ("a.*", "a.>", False),
        ("a.>", "a.b.c", True),
        ("a.>", "a", False),
        ("a.>", "a.>", True),
        ("a.b.>", "a.>", False),
        ("_INBOX_s.>", "_INBOX_shop.1", False),
    ],
)
def test_a_pattern_covers_what_nats_says_it_does(
    pattern: str, subject: str, *, is_covered: bool
) -> None:
    assert covers(pattern, subject) is is_covered
