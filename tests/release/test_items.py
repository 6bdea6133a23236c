"""Each item of the release check can fail, and none takes what it could not look at for right."""

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from release import built, tree, written
from release.__main__ import ITEMS, as_json, table
from release.found import Found
from release.versions import PROJECTS, version_of

ROOT = Path(__file__).parents[2]
METADATA = (
    "Metadata-Version: 2.4\nName: sendonce\nVersion: 0.1.0\nSummary: s\n"
    "Requires-Python: >=3.11\nLicense-Expression: MIT\n"
)


def test_a_generated_file_that_was_edited_or_is_gone_is_named(tmp_path: Path) -> None:
    made = {"a.yaml": "a\n", "b.yaml": "b\n", "c.yaml": "c\n"}
    (tmp_path / "a.yaml").write_text("a\n", "utf-8")
    (tmp_path / "b.yaml").write_text("edited\n", "utf-8")

    assert written.differing(tmp_path, made) == [
        "b.yaml is not what its generator writes",
        "c.yaml is not what its generator writes",
    ]


def test_what_is_generated_stands_where_its_readers_look() -> None:
    assert all((ROOT / name).is_file() for name in written.generated(ROOT))


@pytest.fixture
def projects(tmp_path: Path) -> Path:
    """The projects and their lock."""
    for file in (ROOT / "requirements.lock", *(f for each in PROJECTS for f in ROOT.glob(each))):
        copy = tmp_path / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copy)
    return tmp_path


def test_a_lock_without_what_a_project_asks_for_is_seen(projects: Path) -> None:
    assert written.missing(projects) == []
    lock = projects / "requirements.lock"
    text = lock.read_text("utf-8")

    lock.write_text(re.sub(r"^rich==\S+", "rich==1.0", text, flags=re.MULTILINE), "utf-8")

    assert {line.partition(",")[2] for line in written.missing(projects)} == {" the lock has 1.0"}
    lock.write_text(re.sub(r"^rich==", "poor==", text, flags=re.MULTILINE), "utf-8")
    assert {line.partition(",")[2] for line in written.missing(projects)} == {" the lock has None"}


def test_a_lock_that_is_written_differently_on_a_copy_is_named(tmp_path: Path) -> None:
    for place in ("ours", "copy"):
        (tmp_path / place).mkdir()
        for name in ("a.lock", "b.lock"):
            (tmp_path / place / name).write_text("rich==15\n", "utf-8")
    (tmp_path / "copy" / "b.lock").write_text("rich==16\n", "utf-8")

    found = written.changed(tmp_path / "ours", tmp_path / "copy", ["a.lock", "b.lock"])

    assert found == ["b.lock is not what `make lock` writes"]


@pytest.mark.parametrize(
    "raw, trouble",
    [
        (METADATA, None),
        (METADATA.replace("0.1.0", "0.1.1"), "is 0.1.1"),
        (METADATA.replace("Summary: s\n", ""), "no summary"),
        (METADATA.replace("Version: 0.1.0", "Version: soon"), "'soon' is invalid for 'version'"),
    ],
)
def test_a_wheel_whose_metadata_an_index_refuses_is_seen(
    tmp_path: Path, raw: str, trouble: str | None
) -> None:
    wheel = tmp_path / "sendonce-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as files:
        files.writestr("sendonce-0.1.0.dist-info/METADATA", raw)

    assert built.flaws(wheel, "0.1.0") == ([] if trouble is None else [f"{wheel.name}: {trouble}"])


def test_a_bill_that_forgets_a_member_or_names_another_version_is_seen(projects: Path) -> None:
    names = [line.partition(": ")[0] for line in built.unlisted(projects, [])]
    assert len(names) == 11
    listed = [{"name": name, "version": version_of(projects)} for name in names]
    assert built.unlisted(projects, listed) == []

    assert built.unlisted(projects, listed[1:]) == [f"{names[0]}: not listed"]
    other = [{**listed[0], "version": "0.0.9"}, *listed[1:]]
    assert built.unlisted(projects, other) == [f"{names[0]}: 0.0.9"]


def test_a_hole_is_trouble_and_what_was_skipped_is_no_yes() -> None:
    hole = {"name": "a", "version": "1", "vulns": [{"id": "CVE-1"}, {"id": "CVE-2"}]}
    whole = {"name": "b", "version": "2", "vulns": []}
    skipped = {"name": "c", "skip_reason": "not found"}

    assert built.told({"dependencies": [whole]}) == Found(said="1 packages")
    assert built.told({"dependencies": [hole, whole]}).troubles == ("a 1: CVE-1, CVE-2",)
    assert built.told({"dependencies": [whole, skipped]}).warnings == ("not audited: c",)


def test_what_is_not_committed_and_a_tag_that_is_taken_are_seen(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        own = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(["git", *own, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n', "utf-8")
    assert tree.tree_is_clean(tmp_path).troubles == ("not committed: ?? pyproject.toml",)
    git("add", "-A")
    git("commit", "-m", "all")
    assert tree.tree_is_clean(tmp_path).holds

    git("tag", "v1.2.3")

    assert tree.tree_is_clean(tmp_path).troubles == ("v1.2.3 exists",)


def test_the_report_names_every_item_and_tells_a_warning_from_a_yes() -> None:
    looked = dict.fromkeys(ITEMS, Found(said="fine")) | {"tree": Found(warnings=("unseen",))}

    verdicts = [str(cell) for cell in table(looked).columns[1].cells]

    assert verdicts == ["yes"] * (len(ITEMS) - 1) + ["warning"]
    assert '"holds": true' in as_json(looked)
    assert [*map(str, table({"a": Found(troubles=("x",))}).columns[1].cells)] == ["no"]
