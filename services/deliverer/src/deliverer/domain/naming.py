"""Names of the files we upload: as asked for, and harmless."""

import re
from pathlib import PurePosixPath
from typing import Final

LONGEST: Final = 60  # characters before the suffix; Telegram shows about as many
# Whatever a path, a header or a terminal could read as more than a name, and direction marks
# that make a suffix look like another.
_HARMFUL: Final = re.compile(
    r'[\x00-\x1f\x7f-\x9f"*/:<>?\\|;\u200e\u200f\u202a-\u202e\u2066-\u2069]+'
)
_SUFFIX: Final = re.compile(r"\.[A-Za-z0-9]{1,8}")


def file_name(asked: str | None, *, otherwise: str, suffix: str, keep: bool = True) -> str:
    """Return the name asked for, with its own suffix if it has one and may keep it."""
    clean = _HARMFUL.sub("_", asked or "").strip(" ._") or otherwise
    path = PurePosixPath(clean)
    own = path.suffix if _SUFFIX.fullmatch(path.suffix) else ""
    stem = clean.removesuffix(own).rstrip(" .") or otherwise
    return stem[:LONGEST] + (own if own and keep else suffix)
