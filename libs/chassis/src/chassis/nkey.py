"""The seed of an nkey, by which NATS knows a user: whether a file holds one, and the public key it stands for."""

import os
from pathlib import Path

import nkeys  # type: ignore[import-untyped]  # ships no types

SEED_OF_A_USER = "SU"  # how the text of one begins
JWT = "BEGIN NATS USER JWT"  # what nats-py looks for in the other kind of file, for ever

NotASeed: type[Exception] = nkeys.NkeysError


def is_seed(file: Path) -> bool:
    """Tell whether this is the seed of an nkey; if not, it is a `.creds` file with JWT and key.

    Raises `OSError` when it cannot be read, `ValueError` when it is neither.
    """
    text = file.read_text("utf-8").lstrip()
    if not text.startswith(SEED_OF_A_USER) and JWT not in text:
        raise ValueError(f"{file} is neither the seed of an nkey nor a .creds file")
    return text.startswith(SEED_OF_A_USER)


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
