"""KIE's signature vouches for task id and timestamp, by whichever active key."""

from datetime import UTC, datetime

import pytest

from kie import signatures

KEY = b"a-webhook-key"
SIGNED = signatures.sign(key=KEY, task_id="t1", timestamp=1769670760)


def verify(
    *,
    keys: dict[str, list[bytes]] | None = None,
    task_id: str | None = "t1",
    timestamp: str | None = "1769670760",
    signature: str | None = SIGNED,
) -> str | None:
    return signatures.verify(
        keys={"main": [KEY]} if keys is None else keys,
        task_id=task_id,
        timestamp_header=timestamp,
        signature_header=signature,
    )


def test_the_documented_formula() -> None:
    # base64(HMAC-SHA256("key", "t.1")), computed by openssl.
    assert signatures.sign(key=b"key", task_id="t", timestamp=1) == (
        "UrLtzvgEfsK39eXCiXD+XaoNFd/cbRzIyjQMHh4izoU="
    )


def test_a_signature_names_its_account() -> None:
    assert verify() == "main"
    assert verify(keys={"other": [b"x"], "main": [b"new", KEY]}) == "main"


@pytest.mark.parametrize(
    "changed",
    [
        {"task_id": "t2"},
        {"timestamp": "1769670761"},
        {"signature": SIGNED[:-2] + "A="},
        {"signature": "ключ"},
        {"signature": ""},
        {"signature": "A" * 10_000},
        {"signature": None},
        {"timestamp": None},
        {"task_id": None},
    ],
)
def test_anything_else_is_nobodys(changed: dict[str, str | None]) -> None:
    assert verify(**changed) is None  # type: ignore[arg-type]


def test_no_key_and_an_empty_key_open_nothing() -> None:
    by_empty_key = signatures.sign(key=b"\0", task_id="t1", timestamp=1)

    assert verify(keys={}) is None
    assert verify(keys={"main": []}) is None
    assert verify(keys={"main": [b""]}, timestamp="1", signature=by_empty_key) is None


@pytest.mark.parametrize(
    "header, moment",
    [
        ("1769670760", datetime(2026, 1, 29, 7, 12, 40, tzinfo=UTC)),
        (" 0 ", datetime(1970, 1, 1, tzinfo=UTC)),
        ("1769670760000", None),
        ("-1", None),
        ("1.5", None),
        ("١", None),
        ("", None),
        (None, None),
    ],
)
def test_a_timestamp_is_unix_seconds(header: str | None, moment: datetime | None) -> None:
    assert signatures.timestamp_of(header) == moment
