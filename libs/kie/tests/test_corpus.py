"""Every recorded and documented message reads as its corpus line expects."""

import json
from pathlib import Path
from typing import Any

import pytest

from kie import signatures
from kie.reading import Reading, State, read_callback, read_poll

CORPUS = Path(__file__).parent / "corpus"


def lines(name: str) -> list[Any]:
    parsed = [json.loads(line) for line in (CORPUS / name).read_text("utf-8").splitlines()]
    return [pytest.param(line, id=f"{line['family']}-{line['case']}") for line in parsed]


def facts(reading: Reading) -> dict[str, object]:
    return {
        "task_id": reading.task_id,
        "state": str(reading.state),
        "result_urls": set(reading.result_urls),
        "error_code": reading.error_code,
        "error_message": reading.error_message,
    }


def expected(line: dict[str, Any]) -> dict[str, object]:
    return {**line["expect"], "result_urls": set(line["expect"]["result_urls"])}


def raw(line: dict[str, Any]) -> bytes:
    return json.dumps(line["body"], ensure_ascii=False).encode()


@pytest.mark.parametrize("line", lines("kie_callbacks.jsonl"))
def test_a_callback_of_a_told_family(line: dict[str, Any]) -> None:
    reading = read_callback(raw(line), family=line["family"])

    assert facts(reading) == expected(line)
    assert reading.family == line["family"]
    wanted = line.get("expect_extra", {}).get("anomaly")
    assert wanted is None or wanted in reading.anomalies


@pytest.mark.parametrize("line", lines("kie_callbacks.jsonl"))
def test_a_callback_of_an_untold_family(line: dict[str, Any]) -> None:
    reading = read_callback(raw(line))

    assert facts(reading) == expected(line)


@pytest.mark.parametrize("line", lines("kie_callbacks.jsonl"))
def test_a_callback_of_a_family_nobody_knows(line: dict[str, Any]) -> None:
    reading = read_callback(raw(line), family="not-a-family")

    assert facts(reading) == expected(line)
    assert "unknown_family" in reading.anomalies


@pytest.mark.parametrize("line", lines("kie_recordinfo.jsonl"))
def test_a_polling_answer(line: dict[str, Any]) -> None:
    reading = read_poll(raw(line), family=line["family"], http_status=line["http_status"])

    assert facts(reading) == expected(line)
    assert reading.family == line["family"]


@pytest.mark.parametrize("line", lines("kie_recordinfo.jsonl"))
def test_a_polling_answer_of_an_untold_family_is_never_misread(line: dict[str, Any]) -> None:
    reading = read_poll(raw(line))

    # Without the family some flags are ambiguous; holding is right, the opposite never is.
    if reading.state is not State.UNKNOWN:
        assert reading.state in {line["expect"]["state"], State.FATAL_ERROR}
    assert reading.task_id == line["expect"]["task_id"]


@pytest.mark.parametrize(
    "line",
    [line for line in lines("kie_callbacks.jsonl") if "hmac_key" in line.values[0]],
)
def test_a_signed_callback(line: dict[str, Any]) -> None:
    account = signatures.verify(
        keys={"other": [b"another-key"], "ours": [b"old", line["hmac_key"].encode()]},
        task_id=read_callback(raw(line)).task_id,
        timestamp_header=line["headers"]["X-Webhook-Timestamp"],
        signature_header=line["headers"]["X-Webhook-Signature"],
    )

    is_valid = line.get("expect_extra", {}).get("signature_valid", True)
    assert account == ("ours" if is_valid else None)
