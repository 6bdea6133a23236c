"""Every place that names the version, and the changelog: all say the same one."""

import re
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

from release.found import Found, found

PROJECTS: Final = (
    "pyproject.toml",
    "libs/*/pyproject.toml",
    "services/*/pyproject.toml",
    "tools/*/pyproject.toml",
)
# Where else it stands: a pattern whose group is the version, and how often it must be there at least.
PLACES: Final = {
    "deploy/images/Dockerfile": (r"^ARG VERSION=(\S+)$", 1),
    "deploy/README.md": (r"--tag sendonce/[a-z-]+:(\S+)", 1),
    "deploy/compose/.env": (r"^SENDONCE_VERSION=(\S+)$", 1),
    "deploy/compose/compose.yaml": (r"\$\{SENDONCE_VERSION:-([^}]+)\}", 6),
    "deploy/compose/compose.trial.yaml": (r"\$\{SENDONCE_VERSION:-([^}]+)\}", 1),
    "deploy/kubernetes/base/kustomization.yaml": (r"name: sendonce/\S+, newTag: ([^}\s]+)\}", 6),
    "services/job-store/src/job_store/api.py": (r'name="job-store", version="([^"]+)"', 1),
}
CHANGELOG: Final = "CHANGELOG.md"
SECTION: Final = re.compile(r"^## \[([^\]]+)\](?: - (\S+))?$", re.MULTILINE)
SEMVER: Final = re.compile(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?")


def version_of(root: Path) -> str:
    """Return the version the workspace says it is."""
    return str(_read(root / "pyproject.toml")["version"])


def versions_agree(root: Path) -> Found:
    """Every project and every image tag say the workspace's version."""
    version = version_of(root)
    places = [*_projects(root), *_places(root)]
    wrong = [f"{place} says {said}" for place, said in places if said != version]
    if not SEMVER.fullmatch(version):
        wrong.append(f"{version} is no semantic version")
    return found(wrong, f"{version} in {len(places)} places")


def changelog_is_dated(root: Path, *, today: date) -> Found:
    """The newest section is this version's, dated, and nothing is left that is unreleased."""
    version, text = version_of(root), (root / CHANGELOG).read_text("utf-8")
    sections = list(SECTION.finditer(text))
    dated = [each for each in sections if each[1] != "Unreleased"]
    return found([*_unreleased(text, sections), *_newest(dated, version, today)], version)


def _unreleased(text: str, sections: list[re.Match[str]]) -> Iterator[str]:
    for at, each in enumerate(sections):
        if each[1] == "Unreleased":
            end = sections[at + 1].start() if at + 1 < len(sections) else len(text)
            if text[each.end() : end].strip():
                yield "something stands under Unreleased"


def _newest(dated: list[re.Match[str]], version: str, today: date) -> Iterator[str]:
    if not dated:
        yield f"no section [{version}]"
        return
    name, day = dated[0].groups()
    if name != version:
        yield f"the newest section is [{name}], the version is {version}"
    try:
        if date.fromisoformat(day or "") > today:
            yield f"[{name}] is dated {day}, which is to come"
    except ValueError:
        yield f"[{name}] has no date, as `## [{version}] - 2026-01-31` has"


def _projects(root: Path) -> Iterator[tuple[str, str]]:
    for pattern in PROJECTS:
        for file in sorted(root.glob(pattern)):
            yield str(file.relative_to(root)), str(_read(file)["version"])


def _places(root: Path) -> Iterator[tuple[str, str]]:
    for name, (pattern, at_least) in PLACES.items():
        said = re.findall(pattern, (root / name).read_text("utf-8"), re.MULTILINE)
        yield from ((name, each) for each in said)
        yield from ((name, "nothing where a version stood") for _ in range(at_least - len(said)))


def _read(file: Path) -> dict[str, object]:
    project: dict[str, object] = tomllib.loads(file.read_text("utf-8"))["project"]
    return project
