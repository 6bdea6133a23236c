"""Every documented failure has the class its user should read."""

import json
from pathlib import Path
from typing import Any

import pytest

from contracts.values import FailureClass
from kie.classes import class_of, classify
from kie.reading import State, read_callback, read_poll

CORPUS = Path(__file__).parent / "corpus"

MODERATED = FailureClass.MODERATED
BAD_INPUT = FailureClass.BAD_INPUT
UNREADABLE = FailureClass.INPUT_UNREADABLE
COPYRIGHT = FailureClass.COPYRIGHT
PROVIDER_ERROR = FailureClass.PROVIDER_ERROR
BUSY = FailureClass.PROVIDER_BUSY
ACCOUNT = FailureClass.OWNER_ACCOUNT
TIMEOUT = FailureClass.TIMEOUT


@pytest.mark.parametrize(
    "family, code, message, expected",
    [
        ("market", "400", "Input content did not pass moderation", MODERATED),
        ("market", "422", "Invalid prompt: prompt contains prohibited content", MODERATED),
        ("market", "422", "The aspect_ratio is not within the range of options", BAD_INPUT),
        ("market", "500", "internal error, please try again later.", PROVIDER_ERROR),
        ("market", "402", "Credits insufficient", ACCOUNT),
        ("market", "500", "Insufficient credits", ACCOUNT),
        ("market", "429", None, BUSY),
        ("market", None, None, PROVIDER_ERROR),
        (
            "veo",
            "400",
            "Your prompt was flagged by Website as violating content policies.",
            MODERATED,
        ),
        ("veo", "422", "Fallback failed", PROVIDER_ERROR),
        ("veo", "500", "Request timed out", TIMEOUT),
        ("suno_music", "400", "Lyrics contained copyrighted material.", COPYRIGHT),
        ("suno_music", "413", "Uploaded audio matches existing work of art.", COPYRIGHT),
        ("suno_music", "413", None, COPYRIGHT),
        ("market", "413", None, BAD_INPUT),
        ("suno_music", "408", "Timeout.", TIMEOUT),
        (
            "suno_music",
            "531",
            "Sorry, the generation failed due to an issue. Your credits have been refunded.",
            PROVIDER_ERROR,
        ),
        ("gpt4o_image", "451", "Unable to download image from the provided filesUrl", UNREADABLE),
        ("gpt4o_image", "400", "Failed to fetch the image", UNREADABLE),
        ("runway", "400", "Reached the limit for concurrent generations", BUSY),
        ("runway", "400", "Your prompt was caught by our AI moderator.", MODERATED),
        (None, "455", None, BUSY),
        (None, "weird", "weird", PROVIDER_ERROR),
    ],
)
def test_a_failure_has_its_class(
    family: str | None, code: str | None, message: str | None, expected: FailureClass
) -> None:
    assert class_of(family=family, code=code, message=message) is expected


@pytest.mark.parametrize(
    "word",
    ["SENSITIVE_WORD_ERROR", "SENSITIVE_WORD_ERROR-Content filtered", "Sensitive_Word_Error"],
)
def test_a_state_word_outranks_code_and_text(word: str) -> None:
    data = {"taskId": "t", "status": word, "errorCode": 500}
    raw = json.dumps({"code": 200, "msg": "success", "data": data}).encode()

    assert classify(read_poll(raw, family="suno_music")) is FailureClass.MODERATED


def corpus(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CORPUS / name).read_text("utf-8").splitlines()]


def test_no_failure_of_the_corpus_blames_the_owner_or_lacks_a_class() -> None:
    readings = [
        read_callback(json.dumps(line["body"]).encode(), family=line["family"])
        for line in corpus("kie_callbacks.jsonl")
    ]
    failed = [reading for reading in readings if reading.state is State.FAILED]

    assert failed
    assert all(classify(reading) is not FailureClass.OWNER_ACCOUNT for reading in failed)
