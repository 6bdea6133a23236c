"""A callback token survives the journey through KIE, and nothing else passes for one."""

import re
from urllib.parse import quote
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kie.tokens import (
    LONGEST_TOKEN,
    CallbackToken,
    Forged,
    Malformed,
    UnknownKey,
    Verified,
    hidden,
    mint,
    read,
)

KEY = b"0123456789abcdef0123456789abcdef"
TOKEN = CallbackToken(key_id="k1", job_id=UUID(int=7), attempt=3)
tokens = st.builds(
    CallbackToken,
    key_id=st.from_regex(r"[A-Za-z0-9_-]{1,32}", fullmatch=True),
    job_id=st.uuids(),
    attempt=st.integers(0, 2**32 - 1),
)


@given(tokens, st.binary(min_size=1, max_size=64))
def test_round_trip(token: CallbackToken, key: bytes) -> None:
    text = mint(token, key)

    assert read(text, {token.key_id: key}) == Verified(token)
    assert quote(text, safe="") == text
    assert len(text) <= LONGEST_TOKEN


@given(st.integers(min_value=0, max_value=50), st.characters())
def test_any_changed_character_is_noticed(position: int, other: str) -> None:
    text = mint(TOKEN, KEY)
    changed = text[:position] + other + text[position + 1 :]

    outcome = read(changed, {"k1": KEY, "k2": b"another"})

    assert (changed == text) == (outcome == Verified(TOKEN))
    assert isinstance(outcome, Verified | Forged | Malformed | UnknownKey)


def test_keys_rotate() -> None:
    old = mint(TOKEN, KEY)
    new = mint(CallbackToken(key_id="k2", job_id=UUID(int=8), attempt=0), b"new key")

    both = {"k1": KEY, "k2": b"new key"}
    assert isinstance(read(old, both), Verified)
    assert isinstance(read(new, both), Verified)
    assert read(old, {"k2": b"new key"}) == UnknownKey(TOKEN)


def test_another_key_under_the_same_name_is_a_forgery() -> None:
    assert read(mint(TOKEN, b"guessed"), {"k1": KEY}) == Forged()


def test_a_signature_does_not_move_to_another_key_id() -> None:
    moved = re.sub("^k1", "k2", mint(TOKEN, KEY))

    assert read(moved, {"k2": KEY}) == Forged()


@given(st.text(st.characters(categories=None), max_size=120))
def test_any_text_is_read_without_raising(text: str) -> None:
    assert isinstance(read(text, {"k1": KEY}), Forged | Malformed | UnknownKey)


@pytest.mark.parametrize(
    "text",
    ["", ".", "k1", "k1.", mint(TOKEN, KEY) + "\n", mint(TOKEN, KEY) + "=", "k1." + "Ж" * 48],
)
def test_what_is_no_token(text: str) -> None:
    assert read(text, {"k1": KEY}) == Malformed()


@pytest.mark.parametrize(
    "key_id, attempt", [("", 0), ("a.b", 0), ("a/b", 0), ("k" * 33, 0), ("k", -1), ("k", 2**32)]
)
def test_a_token_that_would_not_fit_is_refused(key_id: str, attempt: int) -> None:
    with pytest.raises(ValueError):
        CallbackToken(key_id=key_id, job_id=UUID(int=0), attempt=attempt)


def test_an_empty_key_signs_and_opens_nothing() -> None:
    with pytest.raises(ValueError):
        mint(TOKEN, b"")
    assert read(mint(TOKEN, KEY), {"k1": b""}) == UnknownKey(TOKEN)


@pytest.mark.parametrize("slash", ["/", "\\/", "\\\\\\/", "%2F", "%2f"])
def test_what_kie_repeats_of_our_url_is_no_token_any_more(slash: str) -> None:
    minted = mint(TOKEN, KEY)
    url = slash.join(("https:", "", "bot.example", "callbacks", "kie", minted))
    body = f'{{"param": "{{\\"callBackUrl\\":\\"{url}\\"}}", "taskId": "t"}}'.encode()

    assert hidden(body) == body.replace(minted.encode(), b"hidden")
    assert minted.encode() in body


def test_a_body_without_our_token_stays_as_it_is() -> None:
    body = b'{"callBackUrl": "https://bot.example/callbacks/kie", "text": "callbacks/kie/soon.mp4"}'

    assert hidden(body) == body
