"""Settings: everything wrong is said at once, with what to do, without any secret."""

from pathlib import Path

import pytest
from pydantic import Field, SecretStr, field_validator

from chassis.settings import ServiceSettings, SettingsError, load


class Settings(ServiceSettings):
    gateway_port: int = Field(default=8080, description="Port for callbacks.")
    kie_api_key: SecretStr = Field(description="Key of the KIE account.")
    callback_keys: SecretStr | None = Field(default=None, description="id:secret pairs.")

    @field_validator("callback_keys")
    @classmethod
    def _pairs(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and ":" not in value.get_secret_value():
            raise ValueError(f"{value.get_secret_value()} is no id:secret pair")
        return value


def problems() -> str:
    with pytest.raises(SettingsError) as raised:
        load(Settings)
    return str(raised.value)


def test_values_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDONCE_KIE_API_KEY", "s3cret")
    monkeypatch.setenv("SENDONCE_GATEWAY_PORT", "9000")
    monkeypatch.setenv("SENDONCE_LOG_FORMAT", "json")

    loaded = load(Settings)

    assert (loaded.gateway_port, loaded.log_format) == (9000, "json")
    assert loaded.kie_api_key.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(loaded)


def test_a_password_in_an_address_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDONCE_KIE_API_KEY", "k")
    monkeypatch.setenv("SENDONCE_NATS_URL", "nats://me:hunter2@nats:4222")

    assert "hunter2" not in repr(load(Settings))


def test_secrets_may_come_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-file\n")
    monkeypatch.setenv("SENDONCE_KIE_API_KEY_FILE", str(tmp_path / "key"))

    assert load(Settings).kie_api_key.get_secret_value() == "from-file"


def test_a_secret_is_read_again_from_the_file_it_came_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text("first\n")
    monkeypatch.setenv("SENDONCE_KIE_API_KEY_FILE", str(file))
    chosen = load(Settings)

    file.write_text("second\n")
    second = chosen.current("kie_api_key")
    file.unlink()

    assert (second, chosen.current("kie_api_key")) == ("second", "first")
    assert Settings(kie_api_key=SecretStr("given")).current("kie_api_key") == "given"


def test_a_file_that_cannot_be_read_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDONCE_KIE_API_KEY_FILE", "/nowhere/key")

    said = problems()

    assert "SENDONCE_KIE_API_KEY_FILE: the file cannot be read" in said
    assert "is required" not in said


def test_a_value_and_its_file_together_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("a")
    monkeypatch.setenv("SENDONCE_KIE_API_KEY", "b")
    monkeypatch.setenv("SENDONCE_KIE_API_KEY_FILE", str(tmp_path / "key"))

    assert "keep one of them" in problems()


def test_only_secrets_come_from_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDONCE_KIE_API_KEY", "k")
    monkeypatch.setenv("SENDONCE_GATEWAY_PORT_FILE", "/some/file")

    assert "set SENDONCE_GATEWAY_PORT" in problems()


def test_an_unknown_name_is_refused_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDONCE_KIE_API_KEY", "k")
    monkeypatch.setenv("SENDONCE_GATEWAY_PROT", "1")
    monkeypatch.setenv("SENDONCE_XYZZY", "1")

    said = problems()

    assert "SENDONCE_GATEWAY_PROT: unknown name; did you mean SENDONCE_GATEWAY_PORT?" in said
    assert "SENDONCE_XYZZY: unknown name; remove it" in said


def test_a_name_of_another_service_is_no_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDONCE_KIE_API_KEY", "k")
    monkeypatch.setenv("SENDONCE_TELEGRAM_SHARE", "0.9")
    monkeypatch.setenv("SENDONCE_DATABASE_URL_FILE", "/run/secrets/db")

    load(Settings)


def test_everything_wrong_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDONCE_GATEWAY_PORT", "many")
    monkeypatch.setenv("SENDONCE_LOG_LEVEL", "loud")

    said = problems()

    assert "SENDONCE_KIE_API_KEY: is required" in said
    assert "Key of the KIE account" in said
    assert "SENDONCE_GATEWAY_PORT: " in said
    assert "SENDONCE_LOG_LEVEL: " in said


def test_a_service_link_of_kubernetes_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDONCE_KIE_API_KEY", "k")
    monkeypatch.setenv("SENDONCE_GATEWAY_PORT", "tcp://10.0.0.7:8080")

    assert "Kubernetes service links put it there" in problems()


def test_a_wrong_secret_is_never_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDONCE_KIE_API_KEY", "k")
    monkeypatch.setenv("SENDONCE_CALLBACK_KEYS", "topsecret")

    said = problems()

    assert "topsecret" not in said
    assert "is no id:secret pair" in said
