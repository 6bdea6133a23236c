"""A directory with the keys of NATS' users: a seed for whoever is one, public keys for the server's configuration."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from chassis.nkey import new_seed, public_key
from contracts.permissions import BOT, USERS
from sendonce_cli.keeping import write

SEED: Final = ".nk"  # the secret of one user, one line
PUBLIC: Final = ".pub"  # a line for every key that is let in, the newest first


class Keys:
    """`job-store.nk`, `job-store.pub` and so on; a seed may be kept elsewhere, its public key may not."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def seed(self, user: str) -> Path:
        """Return where a user's seed stands."""
        return self.directory / f"{user}{SEED}"

    def ensure(self, users: Iterable[str]) -> list[str]:
        """Make keys for those who have none; returns who they are."""
        made = [user for user in users if not self._public(user).exists()]
        for user in made:
            self.renew(user)
        return made

    def renew(self, user: str) -> None:
        """Make a new key; the ones before are let in too, until they are dropped."""
        self.directory.mkdir(parents=True, exist_ok=True)
        seed = new_seed()
        before = self._public(user).read_text("utf-8") if self._public(user).exists() else ""
        self._public(user).write_text(f"{public_key(seed)}\n{before}", "utf-8")
        # Last: whoever reads the seed may be let in already.
        write(self.seed(user), seed, mode=0o600)

    def drop_old(self) -> None:
        """Let in nobody but by the newest key."""
        for user, public in self.known().items():
            self._public(user).write_text(f"{public[0]}\n", "utf-8")

    def known(self) -> dict[str, tuple[str, ...]]:
        """Return the public keys of every user that has some: ours first, then the bots by name."""
        bots = sorted(file.name.removesuffix(PUBLIC) for file in self._of_bots())
        users = [user for user in USERS if self._public(user).exists()] + bots
        return {user: self.public(user) for user in users}

    def public(self, user: str) -> tuple[str, ...]:
        """Return a user's public keys; `OSError` when it has none."""
        return tuple(self._public(user).read_text("utf-8").split())

    def _of_bots(self) -> Iterable[Path]:
        return self.directory.glob(f"{BOT}*{PUBLIC}")

    def _public(self, user: str) -> Path:
        return self.directory / f"{user}{PUBLIC}"
