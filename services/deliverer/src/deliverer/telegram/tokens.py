"""Bots' tokens by reference: the settings' own, or one file each; never in an error or a log."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr

DEFAULT_REF: Final = "default"
_SAFE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TOKEN: Final = re.compile(r"\d{1,20}:[A-Za-z0-9_-]{1,100}")


class TokenMissing(Exception):
    """No usable token stands behind this reference."""

    def __init__(self, why: str) -> None:
        """Say why, without the token."""
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class _Read:
    stamp: tuple[int, int, int]
    token: SecretStr


class Tokens:
    """Reads a token when asked; a file that changed is read again."""

    def __init__(self, *, default: SecretStr | None, secrets_dir: Path | None) -> None:
        """`secrets_dir` holds one file per reference, as a mounted secret does."""
        self._default = default
        self._secrets_dir = secrets_dir
        self._read: dict[str, _Read] = {}

    def token(self, ref: str) -> SecretStr:
        """Return the token behind a reference, or raise `TokenMissing`."""
        found = self._find(ref)
        if not _TOKEN.fullmatch(found.get_secret_value()):
            raise TokenMissing(f"what stands behind {ref!r} is no bot token")
        return found

    def forget(self, ref: str) -> None:
        """Read the file again next time: Telegram refused what we had."""
        self._read.pop(ref, None)

    def _find(self, ref: str) -> SecretStr:
        if ref == DEFAULT_REF and self._default is not None:
            return self._default
        if self._secrets_dir is None or not _SAFE_NAME.fullmatch(ref):
            raise TokenMissing(f"no token is configured for {ref!r}")
        try:
            return self._from_file(ref, self._secrets_dir / ref)
        except (OSError, UnicodeDecodeError) as problem:
            raise TokenMissing(f"{ref!r} is not readable: {type(problem).__name__}") from problem

    def _from_file(self, ref: str, path: Path) -> SecretStr:
        seen = path.stat()
        stamp = (seen.st_mtime_ns, seen.st_size, seen.st_ino)
        held = self._read.get(ref)
        if held is None or held.stamp != stamp:
            held = _Read(stamp, SecretStr(path.read_text("utf-8").strip()))
            self._read[ref] = held
        return held.token
