"""Versions of this project that can be run: this one, and any other by its git ref, with a Python of its own.

Nothing of another version is ever imported here: it is started, told by settings and spoken to over the bus.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chassis.settings import KNOWN_NAMES
from job_store.store.schema import shipped
from testkit.processes.service import environment

ROOT: Final = Path(__file__).parents[2]
KEPT: Final = ROOT / ".venv" / "versions"  # one directory a commit; `make clean` takes them, too
SETUP_WITHIN: Final = 1_800.0  # seconds; the network may be slow
COMMAND_WITHIN: Final = 120.0  # seconds
# What our make and our Python say to their children, and another version must not hear.
OURS: Final = (
    "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "ARGS", "FROM", "PYTHONPATH", "PYTHONPYCACHEPREFIX",
    "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV",
)  # fmt: skip
ASK_SETTINGS: Final = (
    "import json; from chassis.settings import KNOWN_NAMES; print(json.dumps(sorted(KNOWN_NAMES)))"
)

Say = Callable[[str], None]


class NoSuchVersion(Exception):
    """The ref names no commit here, or what it names cannot be set up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version: where its files are, its Python, and what that knows."""

    name: str
    root: Path
    python: Path
    settings: frozenset[str]  # without their prefix
    migrations: tuple[str, ...]

    def module(self, name: str) -> tuple[str, ...]:
        """Return the command that runs one of its modules; -P keeps this version's files out."""
        return (str(self.python), "-P", "-m", name)

    def environment(self, told: Mapping[str, str]) -> dict[str, str]:
        """Return what it is told, without settings it would refuse because it does not know them."""
        known = {f"SENDONCE_{name}": told[name] for name in told.keys() & self.settings}
        return {**known, "PYTHONPATH": ""}

    def unknown(self, told: Mapping[str, str]) -> list[str]:
        """Return the settings that it is not told."""
        return sorted(told.keys() - self.settings)

    def command(self, *arguments: str, told: Mapping[str, str], room: Path) -> tuple[int, str]:
        """Run its own `sendonce` in a directory; returns the exit code and what it said."""
        ran = subprocess.run(
            [str(self.python.with_name("sendonce")), *arguments],
            env=environment(self.environment(told)),
            cwd=room,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_WITHIN,
            check=False,
        )
        return ran.returncode, ran.stdout


def this() -> Version:
    """Return the version that stands here, as it stands."""
    return Version(
        name="this",
        root=ROOT,
        python=Path(sys.executable),
        settings=KNOWN_NAMES,
        migrations=tuple(one.version for one in shipped()),
    )


def another(ref: str, say: Say) -> Version:
    """Check out a version beside this one and install it from its own lock; one that is there is kept."""
    commit = _commit(ref)
    root = KEPT / commit
    if not root.exists():
        say(f"checking out {ref} ({commit})")
        _extract(commit, root)
    say(f"{commit}: make setup, from its own lock")
    _set_up(root)
    python = root / ".venv" / "bin" / "python"
    names = subprocess.run(
        [str(python), "-P", "-c", ASK_SETTINGS],
        env=environment({"PYTHONPATH": ""}),
        capture_output=True,
        text=True,
        timeout=COMMAND_WITHIN,
        check=True,
    )
    files = root.glob("services/job-store/src/job_store/migrations/*.sql")
    return Version(
        name=commit,
        root=root,
        python=python,
        settings=frozenset(json.loads(names.stdout)),
        migrations=tuple(sorted(file.name.partition("_")[0] for file in files)),
    )


def _commit(ref: str) -> str:
    found = _git("rev-parse", "--verify", "--quiet", "--short=10", f"{ref}^{{commit}}")
    if found.returncode:
        msg = f"{ref} names no commit of this checkout; a shallow clone has only the newest"
        raise NoSuchVersion(msg)
    return found.stdout.decode().strip()


def _extract(commit: str, root: Path) -> None:
    archive = _git("archive", "--format=tar", commit)
    if archive.returncode:
        raise NoSuchVersion(archive.stderr.decode().strip())
    # Beside its place first: what was cut off is never taken for a version.
    half = root.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(half, filter="data")
    half.rename(root)


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=False)


def _set_up(root: Path) -> None:
    heard = {name: value for name, value in os.environ.items() if name not in OURS}  # noqa: TID251 - handed on
    ran = subprocess.run(
        ["make", "--directory", str(root), "setup"],
        env=heard,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SETUP_WITHIN,
        check=False,
    )
    if ran.returncode:
        raise NoSuchVersion(f"make setup in {root} ended with {ran.returncode}\n{ran.stdout}")
