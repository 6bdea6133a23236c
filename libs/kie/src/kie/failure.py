"""Why a task failed, in the eight words users and operators are told."""

from enum import StrEnum


class FailureClass(StrEnum):
    """The class decides what the user reads; the operator reads KIE's own code and text."""

    MODERATED = "moderated"
    BAD_INPUT = "bad_input"
    INPUT_UNREADABLE = "input_unreadable"
    COPYRIGHT = "copyright"
    PROVIDER_ERROR = "provider_error"
    PROVIDER_BUSY = "provider_busy"
    OWNER_ACCOUNT = "owner_account"
    TIMEOUT = "timeout"
