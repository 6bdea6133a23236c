"""Named queries: every name once, every block with SQL."""

from pathlib import Path

import pytest

from chassis import queries

TEXT = """
-- What this file is about.

-- hold_job --
-- Keep the row until commit.
SELECT 1 FROM jobs WHERE id = $1 FOR UPDATE;

-- close_job --
UPDATE jobs SET closed = true -- a remark
WHERE id = $1;
"""


def test_queries_are_found_by_name_with_their_comments() -> None:
    found = queries.parse(TEXT, source="queries.sql")

    assert list(found) == ["hold_job", "close_job"]
    assert found.hold_job.startswith("-- Keep the row")
    assert found["close_job"].endswith("WHERE id = $1;")


def test_a_name_the_file_lacks_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"no query named lost in queries\.sql"):
        _ = queries.parse(TEXT, source="queries.sql").lost


@pytest.mark.parametrize(
    "text, said",
    [
        ("-- a --\nSELECT 1;\n-- a --\nSELECT 2;", "twice"),
        ("-- a --\n-- only a comment\n", "empty"),
        ("SELECT 1;\n-- a --\nSELECT 2;", "no name"),
    ],
)
def test_a_wrong_file_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        queries.parse(text, source="queries.sql")


def test_a_package_may_keep_one_file_per_aggregate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "some_store"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "jobs.sql").write_text("-- one --\nSELECT 1;")
    (package / "money.sql").write_text("-- two --\nSELECT 2;")
    monkeypatch.syspath_prepend(tmp_path)

    assert list(queries.load("some_store", "jobs.sql", "money.sql")) == ["one", "two"]
