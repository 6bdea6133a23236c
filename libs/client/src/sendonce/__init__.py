"""The SDK for bot developers: `from sendonce import SendOnce`."""

from contracts.api import (
    ChangesView,
    JobsView,
    JobView,
    LedgerLine,
    PartView,
    StatementView,
    WalletView,
)
from contracts.markup import Entity
from contracts.events import JobEvent, JobEventName
from contracts.reports import ReportedMedia
from contracts.values import (
    Cause,
    FailureClass,
    JobState,
    MediaKind,
    MoneyState,
    PartState,
)
from sendonce.client import SendOnce
from sendonce.errors import (
    DeadlinePassed,
    InsufficientFunds,
    InvalidRequest,
    KeyConflict,
    NoPublicUrl,
    NotConnected,
    Paused,
    ReferenceConflict,
    SendOnceError,
    TaskConflict,
    TooLate,
    Unavailable,
    UnknownBot,
    UnknownJob,
    UnknownOrphan,
)
from sendonce.incoming import IncomingMessage
from sendonce.orders import JobOptions

__all__ = [
    "Cause",
    "ChangesView",
    "DeadlinePassed",
    "Entity",
    "FailureClass",
    "IncomingMessage",
    "InsufficientFunds",
    "InvalidRequest",
    "JobEvent",
    "JobEventName",
    "JobOptions",
    "JobState",
    "JobView",
    "JobsView",
    "KeyConflict",
    "LedgerLine",
    "MediaKind",
    "MoneyState",
    "NoPublicUrl",
    "NotConnected",
    "PartState",
    "PartView",
    "Paused",
    "ReferenceConflict",
    "ReportedMedia",
    "SendOnce",
    "SendOnceError",
    "StatementView",
    "TaskConflict",
    "TooLate",
    "Unavailable",
    "UnknownBot",
    "UnknownJob",
    "UnknownOrphan",
    "WalletView",
]
