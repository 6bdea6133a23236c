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
from contracts.events import JobEvent, JobEventName
from contracts.markup import Button, Entity
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
from sendonce.cursors import Cursor, FileCursor
from sendonce.errors import (
    DeadlinePassed,
    InsufficientFunds,
    InvalidRequest,
    KeyConflict,
    NotConnected,
    Paused,
    ReferenceConflict,
    SendOnceError,
    TaskConflict,
    TooLate,
    TooManyJobs,
    Unavailable,
    UnknownBot,
    UnknownJob,
    UnknownOrphan,
)
from sendonce.incoming import Incoming, IncomingMessage, IncomingTap
from sendonce.orders import JobOptions

__all__ = [
    "Button",
    "Cause",
    "ChangesView",
    "Cursor",
    "DeadlinePassed",
    "Entity",
    "FailureClass",
    "FileCursor",
    "Incoming",
    "IncomingMessage",
    "IncomingTap",
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
    "TooManyJobs",
    "Unavailable",
    "UnknownBot",
    "UnknownJob",
    "UnknownOrphan",
    "WalletView",
]
