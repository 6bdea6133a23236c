"""What a release is made of can be made: a wheel of every member, a bill of materials, no known hole in it."""

import json
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from packaging.metadata import Metadata

from release.found import Found, found
from release.versions import PROJECTS, version_of

BIN: Final = Path(sys.executable).parent
WITHIN: Final = 600.0  # seconds
PROBE: Final = "packaging"  # surely known to whoever knows advisories


def wheels_are_whole(root: Path) -> Found:
    """Every member builds, and its metadata is valid and says the version."""
    members = [file.parent for each in PROJECTS[1:] for file in sorted(root.glob(each))]
    with TemporaryDirectory(prefix="sendonce-wheels-") as place:
        wrong = [trouble for member in members for trouble in _built(member, Path(place))]
        wheels = sorted(Path(place).glob("*.whl"))
        wrong += [trouble for each in wheels for trouble in flaws(each, version_of(root))]
    return found(wrong, f"{len(wheels)} wheels")


def flaws(wheel: Path, version: str) -> list[str]:
    """Return what is wrong with a wheel's metadata, as an index would say it."""
    with zipfile.ZipFile(wheel) as files:
        (name,) = [each for each in files.namelist() if each.endswith(".dist-info/METADATA")]
        raw = files.read(name)
    try:
        metadata = Metadata.from_email(raw, validate=True)
    except ExceptionGroup as group:
        return [f"{wheel.name}: {each}" for each in group.exceptions]
    wrong = []
    if str(metadata.version) != version:
        wrong.append(f"{wheel.name}: is {metadata.version}")
    needed = ("summary", "requires_python", "license_expression")
    return wrong + [f"{wheel.name}: no {each}" for each in needed if not getattr(metadata, each)]


def _built(member: Path, place: Path) -> Iterator[str]:
    command = ("-m", "hatchling", "build", "--target", "wheel", "--directory", str(place))
    ran = _ran([sys.executable, *command], cwd=member)
    if ran.returncode:
        yield f"{member.name}: {ran.stderr.strip()[-300:]}"


def bill_can_be_made(root: Path) -> Found:
    """The bill of materials names every member at this version, and all that is locked."""
    with TemporaryDirectory(prefix="sendonce-bill-") as place:
        bill = Path(place) / "sbom.cdx.json"
        ran = _ran(
            [
                str(BIN / "cyclonedx-py"),
                "environment",
                sys.executable,
                "--output-file",
                str(bill),
            ]
        )
        if ran.returncode:
            return found([f"cyclonedx-py: {ran.stderr.strip()[-300:]}"])
        listed = json.loads(bill.read_text("utf-8"))["components"]
    return found(unlisted(root, listed), f"{len(listed)} components")


def unlisted(root: Path, listed: Sequence[dict[str, Any]]) -> list[str]:
    """Return the members that a bill does not name at their version."""
    there = {each["name"]: each["version"] for each in listed}
    names = [
        str(tomllib.loads(file.read_text("utf-8"))["project"]["name"])
        for each in PROJECTS[1:]
        for file in sorted(root.glob(each))
    ]
    version = version_of(root)
    return [
        f"{name}: {there.get(name, 'not listed')}" for name in names if there.get(name) != version
    ]


def no_known_holes(root: Path) -> Found:
    """No locked package has a published advisory; where nobody can be asked that is a warning, not a yes."""
    lock = root / "requirements.lock"
    with TemporaryDirectory(prefix="sendonce-audit-") as place:
        probe = Path(place) / "probe.txt"
        lines = lock.read_text("utf-8").splitlines()
        (pinned,) = (line.partition(" ")[0] for line in lines if line.startswith(f"{PROBE}=="))
        probe.write_text(f"{pinned}\n", "utf-8")
        # One package first: pip-audit takes an index without advisories for one without holes.
        asked = _audited(probe)
        if asked.troubles or asked.warnings:
            return Found(warnings=("no advisories can be reached: nothing was audited",))
        return _audited(lock)


def _audited(lock: Path) -> Found:
    command = ("--disable-pip", "--no-deps", "--progress-spinner", "off", "--format", "json")
    ran = _ran([str(BIN / "pip-audit"), "--requirement", str(lock), *command])
    try:
        report = json.loads(ran.stdout)
    except ValueError:
        return Found(warnings=(f"pip-audit: {ran.stderr.strip()[-200:]}",))
    return told(report)


def told(report: dict[str, Any]) -> Found:
    """Read what pip-audit reports; a package it skipped was not audited."""
    packages = report["dependencies"]
    skipped = [each["name"] for each in packages if "skip_reason" in each]
    holes = [
        f"{each['name']} {each['version']}: {', '.join(hole['id'] for hole in each['vulns'])}"
        for each in packages
        if each.get("vulns")
    ]
    warnings = [f"not audited: {', '.join(skipped)}"] if skipped else []
    return found(holes, f"{len(packages) - len(skipped)} packages", warnings=warnings)


def _ran(command: Sequence[str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=WITHIN, check=False
    )
