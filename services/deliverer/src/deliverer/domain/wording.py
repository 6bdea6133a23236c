"""Reasons as they leave the service: bounded, storable, and never carrying a token."""

import re
from typing import Final

from contracts.outcomes import Later

OWNER_PAUSE: Final = 300.0  # seconds until a bot that needs its owner is tried again
REASON_UNITS: Final = 500

# A Telegram token: the bot's number, a colon and 35 characters; shorter tails in tests and logs.
_TOKEN: Final = re.compile(r"\d{3,}:[A-Za-z0-9_-]{10,}")
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def line(reason: str) -> str:
    """Return a reason fit for an outcome and a log."""
    return _UNSTORABLE.sub("�", redact(reason))[:REASON_UNITS]


def redact(words: str) -> str:
    return _TOKEN.sub("<token>", words)


def later_for_owner(reason: str) -> Later:
    return Later(reason=line(reason), after=OWNER_PAUSE, scope="bot", needs_owner=True)
