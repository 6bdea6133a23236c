"""The seed of an nkey, by which NATS knows a user: whether a file holds one, and the public key it stands for."""

import os
from pathlib import Path

import nkeys  # type: ignore[import-untyped]  # ships no types

SEED_OF_A_USER = "SU"  # how the text of one begins

NotASeed: type[Exception] = nkeys.NkeysError


def is_seed(file: Path) -> bool:
    """Tell whether this is the seed of an nkey; `OSError` when it cannot be read."""
    return file.read_text("utf-8").lstrip().startswith(SEED_OF_A_USER)


def new_seed() -> str:
    """Make a user."""
    seed: bytes = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
    return bytes(seed).decode()


def public_key(seed: str) -> str:
    """Return by what NATS knows the owner of a seed; raises `NotASeed`."""
    pair = nkeys.from_seed(bytearray(seed.strip().encode()))
    known_as: str = pair.public_key.decode()
    pair.wipe()
    return known_as
