"""The two verdicts a handler may raise to steer the bus; anything else it raises is a bug."""

from datetime import timedelta


class TryLater(Exception):
    """This message cannot be handled now: deliver it again after the given time."""

    def __init__(self, reason: str, *, after: timedelta) -> None:
        """Say why, and how long to wait; the bus adds jitter."""
        super().__init__(reason)
        self.reason = reason
        self.after = after


class Hopeless(Exception):
    """This message can never be handled: keep it as a dead letter and go on."""

    def __init__(self, reason: str) -> None:
        """Say why; the reason stands in the dead letter."""
        super().__init__(reason)
        self.reason = reason
