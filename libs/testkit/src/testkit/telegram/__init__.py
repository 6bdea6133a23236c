"""A fake Telegram: the Bot API over real HTTP, with faults on demand and a perfect memory."""

from testkit.telegram.faults import FaultPlan, Faults, Mode, Profile
from testkit.telegram.limits import Limits
from testkit.telegram.media import Kind
from testkit.telegram.oracle import Event, LogEntry, ShownMessage
from testkit.telegram.server import FakeTelegram
from testkit.telegram.state import Bot, ChatKind

__all__ = [
    "Bot",
    "ChatKind",
    "Event",
    "FakeTelegram",
    "FaultPlan",
    "Faults",
    "Kind",
    "Limits",
    "LogEntry",
    "Mode",
    "Profile",
    "ShownMessage",
]
