"""What a release said stays readable and what it migrated stays as it was: tampered with, on copies, it is seen."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from release import kept

ROOT = Path(__file__).parents[2]
NEWEST = "20261130170500_traces.sql"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The version and its migrations."""
    shutil.copy2(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / kept.FILES, tmp_path / kept.FILES)
    return tmp_path


@pytest.fixture
def release(copy: Path) -> Path:
    """Today's, as it would be kept."""
    return kept.keep(copy, copy / "kept")


def change(release: Path, name: str, how: Callable[[Any], None]) -> None:
    """Let that version have said something else in one sample."""
    file = release / kept.SAMPLES
    samples = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    (sample,) = [each for each in samples if each["name"].startswith(name)]
    how(sample)
    file.write_text("".join(f"{json.dumps(each)}\n" for each in samples), "utf-8")


def test_fault_35_60_what_every_released_version_said_is_read_and_its_migrations_stand() -> None:
    for release in kept.releases():
        assert kept.unread(release) == []
        assert kept.incompatible(release, kept.schemas()) == []
        assert kept.edited(release, ROOT) == []


def test_what_is_kept_is_whole_and_never_written_again(copy: Path, release: Path) -> None:
    assert kept.releases(copy / "kept") == [release]
    assert kept.unread(release) == kept.edited(release, copy) == []
    assert kept.incompatible(release, kept.schemas()) == []
    assert kept.version_is_kept(copy, copy / "kept").holds
    with pytest.raises(FileExistsError):
        kept.keep(copy, copy / "kept")


@pytest.mark.parametrize(
    "how, trouble",
    [
        (lambda it: it.update(name="Forgotten.ask"), "Forgotten.ask: nobody reads it"),
        (lambda it: it["said"].pop("slug"), "AddBot.ask: 1 errors"),
        (lambda it: it["said"].update(gone="x"), "AddBot.ask: read as something else"),
    ],
    ids=["class", "field", "meaning"],
)
def test_what_is_not_read_any_more_is_named(
    release: Path, how: Callable[[Any], None], trouble: str
) -> None:
    change(release, "AddBot.ask", how)

    assert kept.unread(release) == [trouble]


def test_a_class_that_was_released_and_is_gone_is_named(release: Path) -> None:
    now = {name: schema for name, schema in kept.schemas().items() if name != "ReportReceived"}

    assert kept.incompatible(release, now) == ["class_removed at ReportReceived"]


def test_a_version_that_is_not_kept_or_says_something_else_by_now_is_seen(
    copy: Path, release: Path
) -> None:
    (release / kept.SCHEMAS).write_text("{}", "utf-8")
    changed = kept.version_is_kept(copy, copy / "kept")
    shutil.rmtree(release)
    missing = kept.version_is_kept(copy, copy / "kept")

    assert changed.troubles == (f"{release.name}: schemas.json is not what the code says today",)
    assert missing.troubles == (f"{release.name} is not kept: make release-keep",)


def test_a_migration_that_was_released_and_edited_or_has_no_way_down_is_named(
    copy: Path, release: Path
) -> None:
    file = copy / kept.FILES / NEWEST
    assert kept.migrations_hold(copy, copy / "kept").holds

    file.write_text(file.read_text("utf-8").partition(kept.DOWN)[0], "utf-8")

    assert kept.migrations_hold(copy, copy / "kept").troubles == (
        f"{NEWEST}: no way down",
        f"{NEWEST}: not what {release.name} released",
    )
