"""Every operation of KIE: where it is created and polled, what its request holds, what is refused."""

from typing import Any

import pytest

from kie.creation import Unfit
from kie.dialects import BY_FAMILY
from kie.families import ENDPOINTS, FAMILIES, Endpoint, find

URL = "https://gw.example/callbacks/kie/x"

# Family, operation, dialect, create, poll, needs a callback address, takes a model.
LIVE = [
    ("market", "generate", "market", "jobs/createTask", "jobs/recordInfo", False, True),
    ("veo", "generate", "veo", "veo/generate", "veo/record-info", False, True),
    ("veo", "extend", "veo_extend", "veo/extend", "veo/record-info", False, True),
    ("veo", "4k", "veo_4k", "veo/get-4k-video", "veo/record-info", False, False),
    ("suno", "generate", "suno_music", "generate", "generate/record-info", True, True),
    ("suno", "extend", "suno_extend", "generate/extend", "generate/record-info", True, True),
    *[
        (
            "suno",
            page.replace("-", "_"),
            f"suno_{page.replace('-', '_')}",
            f"generate/{page}",
            "generate/record-info",
            needs,
            takes_model,
        )
        for page, needs, takes_model in (
            ("upload-cover", True, True),
            ("upload-extend", True, True),
            ("add-instrumental", True, True),
            ("add-vocals", True, True),
            ("replace-section", False, False),
            ("mashup", True, True),
            ("sounds", False, True),
        )
    ],
    ("suno", "lyrics", "suno_lyrics", "lyrics", "lyrics/record-info", False, False),
    ("suno", "wav", "suno_wav", "wav/generate", "wav/record-info", True, False),
    (
        "suno",
        "vocal_removal",
        "suno_vocal_removal",
        "vocal-removal/generate",
        "vocal-removal/record-info",
        True,
        False,
    ),
    ("suno", "midi", "suno_midi", "midi/generate", "midi/record-info", True, False),
    ("suno", "mp4", "suno_mp4", "mp4/generate", "mp4/record-info", True, False),
    (
        "suno",
        "cover_image",
        "suno_cover_image",
        "suno/cover/generate",
        "suno/cover/record-info",
        False,
        False,
    ),
    (
        "suno",
        "voice_validate",
        "suno_voice_validate",
        "voice/validate",
        "voice/validate-info",
        False,
        False,
    ),
    (
        "suno",
        "voice_regenerate",
        "suno_voice_regenerate",
        "voice/regenerate",
        "voice/validate-info",
        True,
        False,
    ),
    (
        "suno",
        "voice_generate",
        "suno_voice_generate",
        "voice/generate",
        "voice/record-info",
        False,
        False,
    ),
    (
        "gpt4o_image",
        "generate",
        "gpt4o_image",
        "gpt4o-image/generate",
        "gpt4o-image/record-info",
        False,
        False,
    ),
    (
        "flux_kontext",
        "generate",
        "flux_kontext",
        "flux/kontext/generate",
        "flux/kontext/record-info",
        False,
        True,
    ),
    ("runway", "generate", "runway", "runway/generate", "runway/record-detail", False, False),
    ("runway", "extend", "runway_extend", "runway/extend", "runway/record-detail", False, False),
    ("aleph", "generate", "aleph", "aleph/generate", "aleph/record-info", False, False),
]


def row(family: str, operation: str = "generate") -> Endpoint:
    found = find(family, operation)
    assert isinstance(found, Endpoint), found
    return found


def refused(family: str, operation: str = "generate", **given: Any) -> Unfit | None:
    asked: dict[str, Any] = {"model": "m", "given": {}, "callback_url": URL} | given
    return row(family, operation).unfit(**asked)


@pytest.mark.parametrize("case", LIVE, ids=lambda case: case[2])
def test_a_live_operation(case: tuple[str, str, str, str, str, bool, bool]) -> None:
    family, operation, name, create, poll, needs, takes_model = case
    endpoint = row(family, operation)

    assert endpoint.name == name
    assert endpoint is row(name) is FAMILIES[name]
    assert (endpoint.create_path, endpoint.poll_path) == (f"/api/v1/{create}", f"/api/v1/{poll}")
    assert refused(family, operation) is None
    without = refused(family, operation, callback_url=None)
    assert (without.why if without else None) == ("callback_url_missing" if needs else None)
    assert ("model" in endpoint.write("m", {"prompt": "cat"}, URL)) is takes_model


def test_nothing_live_is_missing_here() -> None:
    live = {endpoint.name for endpoint in ENDPOINTS if endpoint.kind == "created"}

    assert live == {case[2] for case in LIVE}


def test_only_market_nests_what_the_model_is_given() -> None:
    given: dict[str, Any] = {"prompt": "cat", "n": 2}
    nested = row("market").write("m/1", given, URL)

    assert nested == {"model": "m/1", "input": given, "callBackUrl": URL}
    for endpoint in ENDPOINTS:
        if endpoint.kind == "created" and endpoint.name != "market":
            assert endpoint.write("m/1", given, URL).items() >= given.items()


def test_one_page_misspells_the_callback_address() -> None:
    keys = {
        endpoint.name: set(endpoint.write(None, {}, URL))
        for endpoint in ENDPOINTS
        if endpoint.kind == "created" and endpoint.name != "market"
    }

    assert keys.pop("suno_voice_regenerate") == {"calBackUrl"}
    assert all(only == {"callBackUrl"} for only in keys.values())


@pytest.mark.parametrize("family", ["suno_music", "suno_voice_regenerate", "veo"])
def test_an_input_cannot_say_where_kie_answers(family: str) -> None:
    given = {"callBackUrl": "https://evil.example", "calBackUrl": "https://evil.example"}

    assert "https://evil.example" not in row(family).write(None, given, URL).values()
    assert row(family).write(None, given, None) == {}


def test_the_one_market_model_that_needs_a_callback_address() -> None:
    model = "kling/motion-control-v3"

    told = refused("market", model=model, callback_url=None)

    assert told is not None
    assert told.why == "callback_url_missing"
    assert refused("market", model=model) is None


@pytest.mark.parametrize(
    "family, operation, why",
    [
        ("luma_modify", "generate", "retired"),
        ("midjourney", "generate", "retired"),
        ("suno", "style", "synchronous"),
        ("suno", "persona", "synchronous"),
        ("suno", "timestamped_lyrics", "synchronous"),
        ("suno", "check_voice", "synchronous"),
        ("suno_style", "generate", "synchronous"),
        ("omni", "audio", "synchronous"),
        ("omni", "character", "synchronous"),
    ],
)
def test_what_cannot_be_had_is_refused_with_the_reason(
    family: str, operation: str, why: str
) -> None:
    told = refused(family, operation)

    assert told is not None
    assert told.why == why
    assert row(family, operation).create_path is None


@pytest.mark.parametrize(
    "family, operation, why",
    [
        ("hologram", "generate", "unknown_family"),
        ("", "", "unknown_family"),
        ("veo", "8k", "unknown_operation"),
        ("suno_music", "sing", "unknown_operation"),
        ("market", "extend", "unknown_operation"),
        ("\x00" * 1000, "x", "unknown_family"),
    ],
)
def test_an_unknown_pair_is_a_typed_refusal(family: str, operation: str, why: str) -> None:
    told = find(family, operation)

    assert isinstance(told, Unfit)
    assert told.why == why
    assert len(told.message) < 500


def test_a_refusal_names_what_the_family_has() -> None:
    told = find("veo", "8k")

    assert isinstance(told, Unfit)
    assert told.message == "veo has no operation 8k; it has 1080p, 4k, extend, generate"


def test_1080p_is_about_a_finished_video_and_only_polled() -> None:
    endpoint = row("veo", "1080p")

    assert endpoint.create_path is None
    assert endpoint.poll_path == "/api/v1/veo/get-1080p-video"
    assert refused("veo", "1080p", given={"taskId": "t"}, callback_url=None) is None
    for given in ({}, {"taskId": ""}, {"taskId": ["t"]}, {"taskId": "t", "index": 1}):
        told = refused("veo", "1080p", given=given)
        assert told is not None
        assert told.why == "input_unfit"


def test_music_is_one_family_by_both_its_names() -> None:
    assert row("suno_music", "extend") is row("suno", "extend") is row("suno_extend")


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_what_can_be_polled_can_be_read(endpoint: Endpoint) -> None:
    if endpoint.poll_path is not None:
        assert endpoint.name in BY_FAMILY
    for path in (endpoint.create_path, endpoint.poll_path):
        assert path is None or path.startswith("/api/v1/")
