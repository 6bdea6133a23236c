"""What each released version said and made, kept as it was: samples, schemas, migrations.

`python -m release.kept` keeps today's for the version that stands in pyproject.toml; what is kept is never written
again. A directory a version, so that no later change to a shared file can forget what was once said.
"""

import hashlib
import json
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

import frozen
from compatibility import Verdict, beyond, changes
from contract_classes import travelling
from contracts import samples
from contracts.documents.schemas import Document
from release.found import Found, found
from release.versions import version_of

ROOT: Final = Path(__file__).parents[2]
RELEASES: Final = Path(__file__).parent / "kept"
SAMPLES, SCHEMAS, MIGRATIONS = "samples.jsonl", "schemas.json", "migrations.sha256"
FILES: Final = "services/job-store/src/job_store/migrations"
DOWN: Final = "-- migrate:down"

_SCHEMAS: Final = TypeAdapter(dict[str, Document])


def releases(kept: Path = RELEASES) -> list[Path]:
    """Return the directories of all released versions."""
    return sorted(each for each in kept.glob("*") if each.is_dir())


@cache
def schemas() -> dict[str, Document]:
    """Return those of this code, which does not change while it runs."""
    return frozen.current()


def today(root: Path) -> dict[str, str]:
    """Return the files of a release as they would be written now."""
    said = sorted(samples.all().items())
    lines = [json.dumps({"name": name, "said": json.loads(raw)}) for name, raw in said]
    digests = [f"{digest}  {name}" for name, digest in _migrations(root).items()]
    return {
        SAMPLES: "\n".join(lines) + "\n",
        SCHEMAS: json.dumps(schemas(), indent=1, sort_keys=True) + "\n",
        MIGRATIONS: "\n".join(digests) + "\n",
    }


def keep(root: Path, kept: Path = RELEASES) -> Path:
    """Keep today's for this version; `FileExistsError` when it is kept already."""
    release = kept / version_of(root)
    release.mkdir(parents=True)
    for name, text in today(root).items():
        (release / name).write_text(text, "utf-8")
    return release


def unread(release: Path) -> list[str]:
    """Return what that version said and this one does not read, or reads as something else."""
    wrong, classes = [], travelling()
    for line in (release / SAMPLES).read_text("utf-8").splitlines():
        sample: dict[str, Any] = json.loads(line)
        name, said = sample["name"], sample["said"]
        cls = classes.get(name.partition(".")[0])
        if cls is None:
            wrong.append(f"{name}: nobody reads it")
            continue
        try:
            heard = cls.model_validate_json(json.dumps(said))
        except ValidationError as refused:
            wrong.append(f"{name}: {refused.error_count()} errors")
            continue
        if json.loads(heard.model_dump_json(exclude_none=True, exclude_unset=True)) != said:
            wrong.append(f"{name}: read as something else")
    return wrong


def incompatible(release: Path, now: Mapping[str, Document]) -> list[str]:
    """Return what has changed since that version in a way that no reader survives."""
    before = _SCHEMAS.validate_json((release / SCHEMAS).read_bytes())
    against = beyond(changes(before, now, requests=frozen.requests()), worst=Verdict.NEEDS_VERSION)
    return [f"{one.name} at {one.at}" for one in against]


def edited(release: Path, root: Path) -> list[str]:
    """Return the migrations of that version that are not what was released, or are gone."""
    now = _migrations(root)
    lines = (release / MIGRATIONS).read_text("utf-8").splitlines()
    released = {name: digest for digest, name in (line.split() for line in lines)}
    return [name for name, digest in released.items() if now.get(name) != digest]


def migrations_hold(root: Path, kept: Path = RELEASES) -> Found:
    """Every migration has a way down, and none that was released has changed."""
    files = sorted((root / FILES).glob("*.sql"))
    one_way = [file.name for file in files if not _down(file)]
    wrong = [f"{name}: no way down" for name in one_way]
    for release in releases(kept):
        wrong += [f"{name}: not what {release.name} released" for name in edited(release, root)]
    return found(wrong, f"{len(files)} migrations")


def version_is_kept(root: Path, kept: Path = RELEASES) -> Found:
    """What this version says is kept, as it says it; what others said is read."""
    version = version_of(root)
    wrong = [
        f"{release.name}: {what}"
        for release in releases(kept)
        for what in (*unread(release), *incompatible(release, schemas()))
    ]
    release = kept / version
    if not release.is_dir():
        return found([*wrong, f"{version} is not kept: make release-keep"])
    for name, text in today(root).items():
        if (release / name).read_text("utf-8") != text:
            wrong.append(f"{version}: {name} is not what the code says today")
    return found(wrong, ", ".join(each.name for each in releases(kept)))


def _migrations(root: Path) -> dict[str, str]:
    files = sorted((root / FILES).glob("*.sql"))
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _down(file: Path) -> bool:
    _, _, down = file.read_text("utf-8").partition(DOWN)
    return any(line.strip() and not line.startswith("--") for line in down.splitlines()[1:])


if __name__ == "__main__":
    try:
        print(f"kept: {keep(ROOT).relative_to(ROOT)}")  # noqa: T201 - says what it wrote
    except FileExistsError:
        sys.exit(f"{version_of(ROOT)} is kept already, and what is kept is never written again")
