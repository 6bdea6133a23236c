"""Secrets that are made once and kept in files of their own, readable by their owner alone."""

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

OWNERS: Final = 0o400  # its owner reads it, nobody changes it


def text_of(file: Path) -> str:
    """Return what a file holds; nothing when it is missing."""
    try:
        return file.read_text("utf-8").strip()
    except FileNotFoundError:
        return ""


def kept(file: Path, make: Callable[[], str], *, mode: int = OWNERS) -> str:
    """Return what the file holds; the first time, what is made for it."""
    if text := text_of(file):
        return text
    write(file, made := make(), mode=mode)
    return made


def write(file: Path, text: str, *, mode: int = OWNERS, ended: bool = True) -> None:
    """Replace a file whole: whoever reads it meanwhile reads the old or the new one.

    Its text ends a line, unless it is not `ended`: for readers who take every byte for the secret.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.new")
    fresh.unlink(missing_ok=True)
    # Nobody else may read it, not even for the moment before its rights are set.
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text + "\n" if ended and text and not text.endswith("\n") else text)
    fresh.chmod(mode)
    fresh.replace(file)


def callback_key(key_id: str) -> str:
    """Make a key that signs callback addresses, as SENDONCE_CALLBACK_KEYS takes it."""
    return f"{key_id}:{base64.b64encode(secrets.token_bytes(32)).decode()}"
