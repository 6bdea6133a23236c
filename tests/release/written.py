"""What generators write is what is committed: documents, dashboard, frozen contracts, locks."""

import json
import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import write_documents
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from rights_tables import filled_in

import frozen
from observability import write_dashboard
from release.found import Found, found
from release.versions import PROJECTS

LOCK_WITHIN: Final = 600.0  # seconds
NO_INDEX: Final = ("error sending request", "Could not connect", "dns error", "timed out")


def generated(root: Path) -> dict[str, str]:
    """Return every generated file by its path, as its generator writes it."""
    here = {f"docs/api/{name}": text for name, text in write_documents.texts().items()}
    security = (root / "docs/security.md").read_text("utf-8")
    contracts = frozen.CURRENT.relative_to(frozen.HERE.parents[3])
    return here | {
        "docs/security.md": filled_in(security),
        "deploy/grafana/dashboards/sendonce.json": write_dashboard.written(),
        str(contracts): json.dumps(frozen.current(), indent=1, sort_keys=True) + "\n",
    }


def generated_is_committed(root: Path) -> Found:
    """No generated file differs from what its generator writes."""
    made = generated(root)
    return found(differing(root, made), f"{len(made)} files")


def differing(root: Path, made: Mapping[str, str]) -> list[str]:
    """Return the files that are not what they must be."""
    return [
        f"{name} is not what its generator writes"
        for name, text in made.items()
        if not (root / name).is_file() or (root / name).read_text("utf-8") != text
    ]


def locks_are_fresh(root: Path) -> Found:
    """`make lock` on a copy writes what is committed; where no index answers, the lock is at least enough."""
    with TemporaryDirectory(prefix="sendonce-lock-") as place:
        copy, names = Path(place), _tracked(root)
        for name in names:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, copy / name)
        (copy / ".venv").symlink_to(root / ".venv")
        heard = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}  # noqa: TID251 - handed on
        ran = subprocess.run(
            ["make", "--directory", place, "lock"],
            capture_output=True,
            text=True,
            env=heard,
            timeout=LOCK_WITHIN,
            check=False,
        )
        if ran.returncode == 0:
            return found(changed(root, copy, names), "as `make lock` writes them")
    if any(words in ran.stderr for words in NO_INDEX):
        return found(missing(root), warnings=["no package index: only looked at for gaps"])
    return found([f"make lock: {(ran.stderr or ran.stdout).strip()[-400:]}"])


def missing(root: Path) -> list[str]:
    """Return what the projects ask for and the lock has not."""
    lock = (root / "requirements.lock").read_text("utf-8").splitlines()
    pins = (line.partition(" ")[0].split("==") for line in lock if "==" in line.partition(" ")[0])
    locked = {canonicalize_name(name): version for name, version in pins}
    return [
        f"{name} asks for {wanted}, the lock has {locked.get(canonicalize_name(wanted.name))}"
        for name, wanted in _asked(root)
        if not wanted.specifier.contains(
            locked.get(canonicalize_name(wanted.name), "0.dev0"), prereleases=True
        )
    ]


def _asked(root: Path) -> Iterator[tuple[str, Requirement]]:
    read = {
        file: tomllib.loads(file.read_text("utf-8"))
        for pattern in PROJECTS
        for file in sorted(root.glob(pattern))
    }
    ours = {canonicalize_name(each["project"]["name"]) for each in read.values()}
    for file, each in read.items():
        groups = each.get("dependency-groups", {}).values()
        for line in (*each["project"].get("dependencies", ()), *(one for g in groups for one in g)):
            wanted = Requirement(line)
            if canonicalize_name(wanted.name) not in ours:
                yield str(file.relative_to(root)), wanted


def changed(root: Path, copy: Path, names: Iterable[str]) -> list[str]:
    """Return the files that `make lock` wrote differently on a copy."""
    return [
        f"{name} is not what `make lock` writes"
        for name in names
        if (copy / name).read_bytes() != (root / name).read_bytes()
    ]


def _tracked(root: Path) -> list[str]:
    ran = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z"], capture_output=True, text=True, check=True
    )
    return [name for name in ran.stdout.split("\0") if name and (root / name).is_file()]
