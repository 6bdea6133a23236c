"""Whatever the bytes, reading never raises and what it returns can be stored."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.values import FailureClass
from kie import dialects
from kie.classes import classify
from kie.dialects import BY_FAMILY, DIALECTS, Recognised, generic
from kie.dialects.base import Dialect, Sign
from kie.reading import Reading, State, read_callback, read_poll

CORPUS = Path(__file__).parent / "corpus"
BODIES: list[Any] = [
    json.loads(line)["body"]
    for name in ("kie_callbacks.jsonl", "kie_recordinfo.jsonl")
    for line in (CORPUS / name).read_text("utf-8").splitlines()
]
WORDS = sorted({word for dialect in BY_FAMILY.values() for word in dialect.poll.words})

families = st.none() | st.sampled_from([*BY_FAMILY, "strange"])
# Lone surrogates and NUL are what JSON escapes can smuggle in.
texts = st.text(st.characters(categories=None), max_size=20) | st.sampled_from(WORDS)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | texts
    | st.sampled_from([10**400, "https://x.example/a.mp4", "[" * 3000, '["https://x.example/a"]'])
)
jsons = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


SIGNS = [sign for each in DIALECTS for sign in (*each.callback_signs, *each.poll_signs)]
# Every key by which a family is told, so that drawn messages come close to many signs at once.
KEYS = sorted(
    {
        key.removesuffix("[]")
        for sign in SIGNS
        for path in (sign.path, *sign.also, *sign.lacks)
        for key in path.split(".")
    }
)
SIGN_WORDS = sorted({word for sign in SIGNS for word in sign.words})


def keyed(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    objects = st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    return objects | objects.map(json.dumps) | st.lists(inner, max_size=2)


shaped = st.recursive(st.none() | st.just("la la") | st.sampled_from(SIGN_WORDS), keyed)
messages = st.fixed_dictionaries(
    {}, optional={"data": shaped, "taskId": st.just("t"), "code": st.just(200)}
)


def paths(body: dict[str, Any], depth: int = 3) -> Iterator[tuple[dict[str, Any], str]]:
    """Every key of a message, down to where KIE puts its words and results."""
    for key, value in body.items():
        yield body, key
        if isinstance(value, dict) and depth:
            yield from paths(value, depth - 1)


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A corpus body in which some values were replaced or dropped."""
    body: dict[str, Any] = json.loads(json.dumps(draw(st.sampled_from(BODIES))))
    for _ in range(draw(st.integers(1, 3))):
        places = list(paths(body))
        if places:
            holder, key = draw(st.sampled_from(places))
            if draw(st.booleans()):
                holder[key] = draw(jsons)
            else:
                del holder[key]
    return body


def assert_lawful(reading: Reading) -> None:
    strings = [reading.task_id, reading.error_code, reading.error_message, reading.family]
    strings += [reading.status, *map(str, reading.trace), *reading.anomalies, *reading.result_urls]
    strings += [medium.text for medium in reading.media]
    for text in strings:
        assert text is None or "\x00" not in text
        assert text is None or text.encode("utf-8") is not None
    assert all((medium.url is None) != (medium.text is None) for medium in reading.media)
    assert all(url.lower().startswith(("http://", "https://")) for url in reading.result_urls)
    if reading.state in (State.SUCCEEDED, State.PROGRESS):
        assert (reading.error_code, reading.error_message) == (None, None)
    else:
        assert reading.media == ()
    if reading.state is State.SUCCEEDED:
        assert bool(reading.media) is ("success_without_result" not in reading.anomalies)
    assert classify(reading) in FailureClass


def assert_lawful_both_ways(raw: bytes, family: str | None, http_status: int = 200) -> None:
    told = read_callback(raw, family=family)
    assert_lawful(told)
    assert told.state in {State.SUCCEEDED, State.FAILED, State.PROGRESS, State.UNKNOWN}
    assert_lawful(read_poll(raw, family=family, http_status=http_status))


@given(st.binary(max_size=200), families, st.integers(100, 599))
def test_any_bytes(raw: bytes, family: str | None, http_status: int) -> None:
    assert_lawful_both_ways(raw, family, http_status)


@given(jsons, families)
def test_any_json(value: object, family: str | None) -> None:
    assert_lawful_both_ways(json.dumps(value).encode(), family)


@given(mutated(), families, st.integers(100, 599))
def test_any_mutation_of_a_real_message(body: object, family: str | None, http_status: int) -> None:
    assert_lawful_both_ways(json.dumps(body).encode(), family, http_status)


def plainly(signs: Callable[[Dialect], tuple[Sign, ...]], root: dict[str, Any]) -> Recognised:
    """The law of recognition: the first sign that fits, every one tried in order."""
    for dialect in DIALECTS:
        for sign in signs(dialect):
            if sign.fits(root):
                return Recognised(dialect, sign.family or dialect.families[0], sign)
    return Recognised(generic.DIALECT)


def assert_recognised_by_the_law(root: dict[str, Any]) -> None:
    assert dialects.of_callback(root) == plainly(lambda each: each.callback_signs, root)
    assert dialects.of_poll(root) == plainly(lambda each: each.poll_signs, root)


@given(mutated() | messages | st.dictionaries(texts, jsons, max_size=4))
def test_signs_ruled_out_at_a_glance_would_not_have_fitted(root: dict[str, Any]) -> None:
    assert_recognised_by_the_law(root)


def test_no_message_we_know_loses_its_sign_at_a_glance() -> None:
    for body in BODIES:
        assert_recognised_by_the_law(body)
        assert_recognised_by_the_law({**body, "data": json.dumps(body.get("data"))})


@pytest.mark.parametrize(
    "raw, anomaly",
    [
        (b"", "not_json"),
        (b"\xff\xfe{}", "not_utf8"),
        (b'{"code": 200', "not_json"),
        (b'{"code": ' + b"9" * 5000 + b"}", "not_json"),
        (b"[" * 100_000, "too_deep"),
        (b'{"a":' * 100_000, "too_deep"),
        (b"[{}]", "not_an_object"),
        (b"null", "not_an_object"),
    ],
    ids=range(8),
)
def test_an_unreadable_body_is_held(raw: bytes, anomaly: str) -> None:
    for reading in (read_callback(raw), read_poll(raw, family="market")):
        assert (reading.task_id, reading.state) == (None, State.UNKNOWN)
        assert anomaly in reading.anomalies


def test_nesting_just_below_the_limit_is_read() -> None:
    for depth in range(900, 1000, 3):
        nested = "[" * depth + "]" * depth
        raw = '{"code":200,"data":{"taskId":"t","instruments":' + nested + "}}"

        assert_lawful_both_ways(raw.encode(), "suno_midi")


def test_a_byte_order_mark_is_no_obstacle() -> None:
    raw = b'\xef\xbb\xbf{"code":501,"data":{"taskId":"t","state":"fail"}}'

    assert read_callback(raw).state is State.FAILED


def test_text_is_cleaned_and_links_are_not_bent() -> None:
    bad = '{"code":200,"data":{"taskId":"t","state":"success","resultJson":["https://x/\\u0000"]}}'
    failed = '{"code":501,"msg":"a\\u0000b\\ud800c","data":{"taskId":"t","state":"fail"}}'

    reading = read_callback(bad.encode())

    assert (reading.media, set(reading.anomalies)) == ((), {"bad_url", "success_without_result"})
    assert read_callback(failed.encode()).error_message == "a\ufffdb\ufffdc"
