# ruff: noqa: INP001 - a script that make runs, no package
"""Write the locks of the images: for each, the packages it needs of requirements.lock, and our own in it.

``python deploy/images/lock.py UV`` from the root of the workspace; ``make lock`` does it.
"""

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
LOCKS: Final = Path(__file__).parent / "locks"
PYTHON: Final = "3.11"
# What an image is made of besides the service it is named after; the command's runs the sandboxes too.
IMAGES: Final = (
    "callback-gateway",
    "job-store",
    "submitter",
    "deliverer",
    "reconciler",
    "cli",
)
# What builds them and is in none: versions and hashes stand in requirements.lock and requirements-uv.lock.
BUILDS_WITH: Final = ("hatchling", "cyclonedx-bom")


def main(uv: str) -> None:
    """Write every lock anew."""
    members = dict(_members())
    for image in IMAGES:
        own = _own(members, f"sendonce-{image}")
        (LOCKS / f"{image}.own.txt").write_text("".join(f"./{path}\n" for path in own))
        _compile(uv, [ROOT / path / "pyproject.toml" for path in own], image, members)
    wanted = LOCKS / "build.in"
    wanted.write_text("".join(f"{name}\n" for name in BUILDS_WITH))
    _compile(uv, [wanted], "build", members)
    wanted.unlink()


def _members() -> Iterator[tuple[str, tuple[Path, dict[str, Any]]]]:
    for kind in ("libs", "services", "tools"):
        for file in sorted((ROOT / kind).glob("*/pyproject.toml")):
            project = tomllib.loads(file.read_text())["project"]
            yield project["name"], (file.parent.relative_to(ROOT), project)


def _own(members: dict[str, tuple[Path, dict[str, Any]]], name: str) -> list[Path]:
    """Return where the packages of ours are that one stands on, itself last."""
    path, project = members[name]
    found: list[Path] = []
    for wanted in project["dependencies"]:
        if wanted in members:
            found += [one for one in _own(members, wanted) if one not in found]
    return [*found, path]


def _compile(
    uv: str, sources: list[Path], lock: str, members: dict[str, tuple[Path, dict[str, Any]]]
) -> None:
    without = [part for name in members for part in ("--no-emit-package", name)]
    subprocess.run(  # noqa: S603 - our own lock, by the uv that make names
        [
            *(uv, "--quiet", "pip", "compile", *map(str, sources)),
            *(
                "--universal",
                "--python-version",
                PYTHON,
                "--constraint",
                str(ROOT / "requirements.lock"),
            ),
            *("--generate-hashes", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
            *without,
            *("--custom-compile-command", "make lock", "--output-file", str(LOCKS / f"{lock}.txt")),
        ],
        check=True,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    main(sys.argv[1])
