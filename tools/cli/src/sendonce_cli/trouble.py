"""Expected trouble: one readable line, one hint, an exit code; never a traceback."""

FAILED = 1
USAGE = 2


class Trouble(Exception):
    """Something a person can understand and mend."""

    def __init__(self, message: str, *, hint: str = "", code: int = FAILED) -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code


def misuse(message: str, *, hint: str = "") -> Trouble:
    """Return the trouble of wrong arguments or settings."""
    return Trouble(message, hint=hint, code=USAGE)
