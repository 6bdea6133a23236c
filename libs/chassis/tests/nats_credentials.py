"""A NATS operator on one page: accounts and users as signed tokens, and credentials that expire."""

import base64
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import nkeys

UNLIMITED = {"subs": -1, "data": -1, "payload": -1}
ACCOUNT_LIMITS = UNLIMITED | {
    "imports": -1,
    "exports": -1,
    "wildcards": True,
    "conn": -1,
    "leaf": -1,
}


def key_pair(kind: int) -> nkeys.KeyPair:
    """A fresh pair of this kind."""
    return nkeys.from_seed(bytearray(nkeys.encode_seed(os.urandom(32), kind)))


def token(
    subject: nkeys.KeyPair,
    *,
    signer: nkeys.KeyPair,
    kind: str,
    lasts: float | None = None,
    **claims: object,
) -> str:
    """Sign what is said of a subject; it lasts for so many seconds, or for ever."""
    body: dict[str, object] = {
        "iss": signer.public_key.decode(),
        "sub": subject.public_key.decode(),
        "name": kind,
        "iat": int(time.time()),
        "nats": claims | {"type": kind, "version": 2},
    }
    if lasts is not None:
        body["exp"] = int(time.time() + lasts)
    head = {"typ": "JWT", "alg": "ed25519-nkey"}
    signed = ".".join(_text(json.dumps(part).encode()) for part in (head, body))
    return f"{signed}.{_text(signer.sign(signed.encode()))}"


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass(frozen=True)
class Operator:
    """Signs one account for users, and the one a server needs for itself."""

    key: nkeys.KeyPair = field(default_factory=lambda: key_pair(nkeys.PREFIX_BYTE_OPERATOR))
    account: nkeys.KeyPair = field(default_factory=lambda: key_pair(nkeys.PREFIX_BYTE_ACCOUNT))
    system: nkeys.KeyPair = field(default_factory=lambda: key_pair(nkeys.PREFIX_BYTE_ACCOUNT))

    @property
    def config(self) -> str:
        """What a server is told."""
        accounts = [
            f"{each.public_key.decode()}: {self._account(each)}"
            for each in (self.account, self.system)
        ]
        return "\n".join((
            f"operator: {token(self.key, signer=self.key, kind='operator')}",
            f"system_account: {self.system.public_key.decode()}",
            "resolver: MEMORY",
            f"resolver_preload: {{ {', '.join(accounts)} }}",
        ))  # fmt: skip

    def _account(self, key: nkeys.KeyPair) -> str:
        return token(key, signer=self.key, kind="account", limits=ACCOUNT_LIMITS)

    def issue(self, file: Path, *, lasts: float | None) -> None:
        """Write credentials of a new user, in the place of any before."""
        seed = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
        user = nkeys.from_seed(bytearray(seed))
        said = token(user, signer=self.account, kind="user", lasts=lasts, **UNLIMITED)
        fresh = file.with_suffix(".new")
        fresh.write_text(
            f"-----BEGIN NATS USER JWT-----\n{said}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{bytes(seed).decode()}\n------END USER NKEY SEED------\n"
        )
        fresh.replace(file)
