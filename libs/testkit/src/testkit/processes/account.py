"""Whose rights a child has: Postgres refuses to be root, so root lends it a lesser account."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

# In order of preference; `nobody` exists on every system, so nothing is ever created.
LESSER_ACCOUNTS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account of the system, by number."""

    uid: int
    gid: int


class NoLesserAccount(LookupError):
    """Root is alone on this system."""


def lesser_account(keep_owner_of: Path) -> Account | None:
    """The account to run as when we are root, else None; data that has an owner keeps it."""
    if os.geteuid() != 0:
        return None
    if keep_owner_of.exists() and (owner := keep_owner_of.stat()).st_uid != 0:
        return Account(uid=owner.st_uid, gid=owner.st_gid)
    for name in LESSER_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    raise NoLesserAccount(f"run as an ordinary user: none of {LESSER_ACCOUNTS} exists here")


def everybody_reaches(*paths: Path) -> bool:
    """True when no directory on the way to the paths is closed to other accounts."""
    return all(parent.stat().st_mode & 0o001 for path in paths for parent in path.resolve().parents)
