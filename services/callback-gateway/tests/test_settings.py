"""The gateway's environment: keys in, readable refusals out, never a key in a text."""

import base64

import pytest

from callback_gateway.settings import Settings
from chassis import settings as chassis_settings

KEY = base64.urlsafe_b64encode(bytes(range(200, 232))).decode()


def load(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(f"SENDONCE_{name}", value)
    return chassis_settings.load(Settings)


@pytest.mark.parametrize("form", [KEY, KEY.rstrip("="), KEY.replace("-", "+").replace("_", "/")])
def test_callback_keys_are_read_in_every_form_of_base64(
    monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    chosen = load(monkeypatch, CALLBACK_KEYS=f"k1:{form}, k2:{KEY}")

    assert chosen.token_keys() == {"k1": bytes(range(200, 232)), "k2": bytes(range(200, 232))}


def test_an_account_may_have_two_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = load(monkeypatch, KIE_HMAC_KEYS="studio:new:er,studio:old,other:o")

    assert chosen.hmac_keys() == {"studio": (b"new:er", b"old"), "other": (b"o",)}


def test_without_keys_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = load(monkeypatch)

    assert chosen.token_keys() == {}
    assert chosen.hmac_keys() == {}


@pytest.mark.parametrize(
    "name, value",
    [
        ("CALLBACK_KEYS", "loosekeywithoutaname"),
        ("CALLBACK_KEYS", "k1:not*base64*at*all"),
        ("CALLBACK_KEYS", "k1:c2hvcnRzZWNyZXQ="),
        ("CALLBACK_KEYS", f"k.1:{KEY}"),
        ("CALLBACK_KEYS", f"k1:{KEY},k1:{KEY}"),
        ("KIE_HMAC_KEYS", "loosekeywithoutaccount"),
        ("KIE_HMAC_KEYS", "studio:"),
        ("KIE_HMAC_KEYS", ":hmacsecret"),
    ],
)
def test_a_wrong_key_is_refused_without_showing_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(chassis_settings.SettingsError) as refusal:
        load(monkeypatch, **{name: value})

    assert f"SENDONCE_{name}" in str(refusal.value)
    for part in value.split(":"):
        assert len(part) < 8 or part not in str(refusal.value)


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = load(monkeypatch, CALLBACK_KEYS=f"k1:{KEY}", KIE_HMAC_KEYS="studio:hmacsecret")

    assert KEY not in repr(chosen)
    assert "hmacsecret" not in repr(chosen)


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())
