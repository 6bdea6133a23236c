"""Secrets by reference: the settings' own, or a file each in a directory; never logged, never kept."""

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

# What stands behind a reference travels in an HTTP header, so it is one printable word.
_SECRET = re.compile(r"[!-~]{1,500}")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", re.ASCII)


class Secrets:
    """Looks a reference up for every use, so that a changed file counts at once."""

    def __init__(self, own: Mapping[str, SecretStr | None], *, directory: Path | None) -> None:
        """`own` outranks the directory, which holds one file per reference as a mounted secret."""
        self._own = {name: secret for name, secret in own.items() if secret is not None}
        self._directory = directory

    def find(self, reference: str) -> SecretStr | None:
        """Return the secret; None when nobody has put a usable one there."""
        text = self._text(reference)
        return SecretStr(text) if _SECRET.fullmatch(text) else None

    def _text(self, reference: str) -> str:
        if reference in self._own:
            return self._own[reference].get_secret_value()
        if self._directory is None or not is_plain_name(reference):
            return ""
        try:
            return (self._directory / reference).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return ""


def is_plain_name(reference: str) -> bool:
    """Tell whether a reference is a plain file name, neither hidden nor leaving its directory."""
    return _PLAIN_NAME.fullmatch(reference) is not None
