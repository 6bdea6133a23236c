"""A reference finds its own secret, at once, and nothing outside its directory."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from chassis.secrets import Secrets, is_plain_name

KEY = "sk-very-secret"


def found(secrets: Secrets, reference: str) -> str | None:
    secret = secrets.find(reference)
    return None if secret is None else secret.get_secret_value()


def test_the_settings_own_outrank_the_directory(tmp_path: Path) -> None:
    (tmp_path / "default").write_text("another")
    secrets = Secrets({"default": SecretStr(KEY)}, directory=tmp_path)

    assert found(secrets, "default") == KEY


def test_a_setting_nobody_set_leaves_the_word_to_the_directory(tmp_path: Path) -> None:
    (tmp_path / "default").write_text(f"{KEY}\n")
    secrets = Secrets({"default": None}, directory=tmp_path)

    assert found(secrets, "default") == KEY


def test_a_changed_file_counts_at_once(tmp_path: Path) -> None:
    secrets = Secrets({}, directory=tmp_path)
    assert found(secrets, "shop") is None

    for key in ("first", "second"):
        (tmp_path / "shop").write_text(key)
        assert found(secrets, "shop") == key


def test_a_mounted_secret_is_a_link(tmp_path: Path) -> None:
    inner = tmp_path / "..data"
    inner.mkdir()
    (inner / "shop").write_text(KEY)
    (tmp_path / "shop").symlink_to(inner / "shop")

    assert found(Secrets({}, directory=tmp_path), "shop") == KEY


@pytest.mark.parametrize("content", [b"", b"two words", b"line\nline", b"\xff\xfe", b"x" * 501])
def test_what_cannot_travel_in_a_header_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "shop").write_bytes(content)

    assert found(Secrets({}, directory=tmp_path), "shop") is None


@pytest.mark.parametrize("name", ["shop", "Shop_2", "a.b-c", "_", "0" * 100])
def test_a_plain_name(name: str) -> None:
    assert is_plain_name(name)


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "../x", "a\n", "ж", "0" * 101])
def test_whatever_could_leave_the_directory_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path.parent / "x").write_text(KEY)

    assert not is_plain_name(name)
    assert found(Secrets({}, directory=tmp_path), name) is None


def test_a_secret_is_not_shown() -> None:
    secrets = Secrets({"default": SecretStr(KEY)}, directory=None)

    assert KEY not in repr(secrets.find("default"))
