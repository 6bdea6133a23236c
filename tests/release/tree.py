"""The tree a tag would name: clean, and its tag is not given away yet."""

import subprocess
from pathlib import Path

from release.found import Found, found
from release.versions import version_of


def tree_is_clean(root: Path) -> Found:
    """Everything is committed, and no tag of this version exists."""
    left = [f"not committed: {line.strip()}" for line in _git(root, "status", "--porcelain")]
    tag = f"v{version_of(root)}"
    tagged = [f"{tag} exists" for _ in _git(root, "tag", "--list", tag)]
    return found([*left, *tagged], tag)


def _git(root: Path, *arguments: str) -> list[str]:
    ran = subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True
    )
    return ran.stdout.splitlines()
