"""A fake Telegram: the Bot API over real HTTP, with faults on demand and a perfect memory."""

from testkit.telegram.faults import FaultPlan, Faults, Mode, Profile
from testkit.telegram.limits import Limits
from testkit.telegram.media import Kind
from testkit.telegram.oracle import Event, LogEntry
from testkit.telegram.recollection import Recollection, read_entry
from testkit.telegram.server import FakeTelegram
from testkit.telegram.sight import ShownMessage, ShownPart
from testkit.telegram.state import Bot, ChatKind
from testkit.telegram.tls import resetting_handshakes
from testkit.telegram.verdicts import Overwrite, Tally

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
    "Overwrite",
    "Profile",
    "Recollection",
    "ShownMessage",
    "ShownPart",
    "Tally",
    "read_entry",
    "resetting_handshakes",
]
