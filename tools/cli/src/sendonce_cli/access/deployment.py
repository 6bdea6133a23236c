"""Every secret of a deployment, as files: one directory for each service, with its own and nobody else's.

What is given (KIE's key, the bot's token) is copied in at every call, so replacing a file and calling again rotates
it. What is made is made once and kept.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

from contracts.documents.surface import SERVICES, Party
from contracts.permissions import BOT, MIGRATE, OPERATOR, USERS, bot_user
from job_store.app import ROLES, STORE_ROLE
from sendonce_cli.access.conf import of_table
from sendonce_cli.access.keys import PUBLIC, SEED, Keys
from sendonce_cli.keeping import OWNERS, callback_key, kept, text_of, write
from sendonce_cli.stack.supply import SANDBOX_TOKEN
from sendonce_cli.trouble import misuse
from testkit.kie import SANDBOX_API_KEY

NATS, POSTGRES, BOTS = "nats", "postgres", "bots"
GRAFANA, ALERTMANAGER = "grafana", "alertmanager"
AUDIENCES: Final = (
    NATS,
    POSTGRES,
    MIGRATE,
    OPERATOR,
    BOTS,
    GRAFANA,
    ALERTMANAGER,
    *map(str, SERVICES),
)
SANDBOX: Final = "sandbox"  # a further one of trials: the sandbox KIE
OWNER, STORE_LOGIN = "sendonce_owner", "job_store"
HMAC_KEY: Final = "sandbox_hmac_key"
FURTHER: Final = "further"
# Servers run as users of their own; nobody else has the directory.
SERVERS: Final = 0o444

# Which of the given files a service reads; a name in the last column is a directory of further ones.
GIVEN: Final[Mapping[str, tuple[str, ...]]] = {
    "kie_api_key": (Party.SUBMITTER, Party.RECONCILER),
    "kie_hmac_keys": (Party.GATEWAY,),
    "bot_token": (Party.STORE, Party.DELIVERER),
}
FURTHER_GIVEN: Final[Mapping[str, tuple[str, ...]]] = {
    "kie": (Party.SUBMITTER, Party.RECONCILER),
    "telegram": (Party.DELIVERER,),
    "alerts": (ALERTMANAGER,),
}
NEEDED: Final = ("kie_api_key", "bot_token")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the owner brings: one secret a file, and further accounts and tokens by reference."""

    files: Mapping[str, str]
    further: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def given(directory: Path) -> Given:
    """Read what the owner put there; trouble that names every file that is missing."""
    files = {name: text_of(directory / name) for name in GIVEN}
    missing = [name for name in NEEDED if not files[name]]
    if missing:
        raise misuse(
            f"{directory} has no {' and no '.join(missing)}",
            hint="put each into a file of that name, or try the sandboxes first with --sandbox",
        )
    further = {
        kind: {file.name: text_of(file) for file in sorted((directory / kind).glob("[!.]*"))}
        for kind in FURTHER_GIVEN
    }
    return Given(files=files, further=further)


def of_sandbox(directory: Path) -> Given:
    """Return what the sandboxes take; their HMAC key is made once."""
    key = kept(directory / SANDBOX / HMAC_KEY, lambda: secrets.token_urlsafe(24))
    return Given(
        files={
            "kie_api_key": SANDBOX_API_KEY,
            "kie_hmac_keys": f"default:{key}",
            "bot_token": SANDBOX_TOKEN,
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Where the directories are, and who the files are for."""

    directory: Path
    database_host: str
    database: str
    bots: tuple[str, ...]
    owner: int | None = (
        None  # user and group the files are given to; None: they stay whose they are
    )

    def write(self, brought: Given) -> None:
        """Write everything."""
        for audience in AUDIENCES:
            (self.directory / audience).mkdir(parents=True, exist_ok=True)
        self._nats()
        self._postgres()
        self._grafana()
        self._callbacks()
        self._brought(brought)
        if self.owner is not None:
            for audience in (*AUDIENCES, SANDBOX):
                if (self.directory / audience).is_dir():
                    hand_over(self.directory / audience, self.owner)

    def _nats(self) -> None:
        keys = Keys(self.directory / NATS)
        keys.ensure([*USERS, *map(bot_user, self.bots)])
        for user in keys.known():
            seed = keys.seed(user)
            if seed.exists():
                self._put(self._audience(user), self._seed_name(user), seed.read_text("utf-8"))
                seed.unlink()
        self._put(NATS, "auth.conf", of_table(keys.known()), mode=SERVERS)
        for public in (self.directory / NATS).glob(f"*{PUBLIC}"):
            public.chmod(SERVERS)

    def _audience(self, user: str) -> str:
        if user.startswith(BOT):
            return BOTS
        return user if user in AUDIENCES else OPERATOR

    def _seed_name(self, user: str) -> str:
        if user.startswith(BOT):
            return user.removeprefix(BOT) + SEED
        return f"nats{SEED}" if user in AUDIENCES else f"{user}{SEED}"

    def _postgres(self) -> None:
        kept(self.directory / POSTGRES / "password", _password, mode=SERVERS)
        owner = kept(self.directory / MIGRATE / "database_url", lambda: self._url(OWNER))
        store = kept(self.directory / Party.STORE / "database_url", lambda: self._url(STORE_LOGIN))
        # The same owner, as an operator of Postgres clusters takes it: to the byte.
        for name, text in (("username", OWNER), ("password", _word(owner))):
            write(self.directory / MIGRATE / name, text, ended=False)
        self._put(POSTGRES, "roles.sql", self._roles(_word(owner), _word(store)), mode=SERVERS)

    def _grafana(self) -> None:
        kept(self.directory / GRAFANA / "password", _password, mode=SERVERS)

    def _url(self, user: str) -> str:
        return f"postgresql://{user}:{quote(_password(), safe='')}@{self.database_host}/{self.database}"

    def _roles(self, owner: str, store: str) -> str:
        group_roles = "".join(f"{text};\n" for text in ROLES.values())
        return (
            "-- Run once, when the server is new, by its superuser: the only words it ever says.\n"
            f"DO $$ BEGIN IF to_regrole('{OWNER}') IS NULL THEN CREATE ROLE {OWNER}; END IF; END $$;\n"
            f"ALTER ROLE {OWNER} LOGIN PASSWORD '{owner}';\n"
            f"ALTER DATABASE {self.database} OWNER TO {OWNER};\n"
            f"{group_roles}"
            f"CREATE ROLE {STORE_LOGIN} LOGIN PASSWORD '{store}' IN ROLE {STORE_ROLE};\n"
        )

    def _callbacks(self) -> None:
        keys = kept(self.directory / Party.GATEWAY / "callback_keys", lambda: callback_key("k1"))
        self._put(Party.STORE, "callback_keys", keys + "\n")

    def _brought(self, brought: Given) -> None:
        for name, readers in GIVEN.items():
            for reader in readers:
                self._put(reader, name, brought.files.get(name, ""))
        for kind, readers in FURTHER_GIVEN.items():
            for reader in readers:
                further = self.directory / reader / FURTHER
                further.mkdir(exist_ok=True)
                for name, text in brought.further.get(kind, {}).items():
                    mode = SERVERS if reader == ALERTMANAGER else OWNERS
                    write(further / name, text, mode=mode)

    def _put(self, audience: str, name: str, text: str, *, mode: int = OWNERS) -> None:
        write(self.directory / audience / name, text, mode=mode)


def hand_over(directory: Path, owner: int) -> None:
    """Give a directory and all in it to a user and the group of the same number; only root may.

    It is made if it is missing.
    """
    directory.mkdir(parents=True, exist_ok=True)
    os.chown(directory, owner, owner)
    for one in directory.rglob("*"):
        os.chown(one, owner, owner)


def _password() -> str:
    return secrets.token_urlsafe(24)


def _word(url: str) -> str:
    """Return the password in an address we made; it holds nothing that an address would spell otherwise."""
    return url.partition("://")[2].partition(":")[2].rpartition("@")[0]
