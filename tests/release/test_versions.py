"""A version that is named differently anywhere, or a changelog that is not ready, is seen: on copies."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from release.versions import PLACES, PROJECTS, changelog_is_dated, version_of, versions_agree

ROOT = Path(__file__).parents[2]
TODAY = date(2027, 1, 31)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Everything that names the version."""
    files = [*PLACES, *(str(f.relative_to(ROOT)) for each in PROJECTS for f in ROOT.glob(each))]
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tmp_path / name)
    return tmp_path


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def test_every_place_names_the_same_version() -> None:
    assert versions_agree(ROOT).troubles == ()


@pytest.mark.parametrize("place", [*PLACES, "libs/kie/pyproject.toml"])
def test_a_place_that_names_another_is_seen(copy: Path, place: str) -> None:
    edit(copy / place, version_of(copy), "0.0.9")

    assert versions_agree(copy).troubles == (f"{place} says 0.0.9",)


@pytest.mark.parametrize("place", PLACES)
def test_a_place_that_names_none_any_more_is_seen(copy: Path, place: str) -> None:
    (copy / place).write_text("", "utf-8")

    assert f"{place} says nothing where a version stood" in versions_agree(copy).troubles


@pytest.mark.parametrize(
    "sections, trouble",
    [
        ("## [Unreleased]\n\n## [{}] - 2027-01-31\n- a\n", None),
        ("## [{}] - 2027-01-31\n- a\n\n## [0.0.9] - 2026-01-01\n", None),
        ("## [Unreleased]\n- a\n", "something stands under Unreleased"),
        ("## [Unreleased]\n\n- b\n## [{}] - 2027-01-31\n", "something stands under Unreleased"),
        ("## [Unreleased]\n", "no section [{}]"),
        ("## [0.0.9] - 2027-01-31\n", "the newest section is [0.0.9], the version is {}"),
        ("## [{}]\n", "[{}] has no date, as `## [{}] - 2026-01-31` has"),
        ("## [{}] - soon\n", "[{}] has no date, as `## [{}] - 2026-01-31` has"),
        ("## [{}] - 2027-02-01\n", "[{}] is dated 2027-02-01, which is to come"),
    ],
)
def test_a_changelog_is_ready_or_says_what_is_missing(
    copy: Path, sections: str, trouble: str | None
) -> None:
    version = version_of(copy)
    text = sections.replace("{}", version)
    (copy / "CHANGELOG.md").write_text(f"# Changelog\n\n{text}", "utf-8")

    found = changelog_is_dated(copy, today=TODAY).troubles

    assert found == () if trouble is None else trouble.replace("{}", version) in found
