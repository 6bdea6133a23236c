"""Laws of the decision: nothing with a token is lost, nothing unfit without one is stored."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import callback_arrivals as arrivals
from callback_arrivals import KEYS, NO_KEYS, NOW, SUCCESS, callback, signed, token
from callback_gateway.domain import answers, doubts
from callback_gateway.domain.answers import Problem
from callback_gateway.domain.arrival import BODY_KEPT, Callback
from callback_gateway.domain.judgement import Keys, Refuse, Store, judge
from callback_gateway.domain.reports import WIRE_LIMIT, Claims, Report, report
from contracts.reports import HmacClaim, Reading, ReportedMedia, ReportReceived, ReportState
from contracts.values import MediaKind
from kie import reported

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(("code", "msg", "data", "taskId", "task_id", "state", "resultJson"))
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
bodies = (
    st.binary(max_size=400)
    | json_values.map(lambda value: json.dumps(value).encode())
    | st.sampled_from(
        (
            SUCCESS,
            SUCCESS + b" " * BODY_KEPT,
            b"\x00" * (BODY_KEPT + 1),
            b"[" * 100_000,
            SUCCESS.replace(b"task-1", b"t\\u0000"),
            SUCCESS.replace(b"task-1", b"t" * 250),
            SUCCESS.replace(b"https://files.example", b"\\ud800" * 40_000),
            b'{"code":501,"msg":"' + b"\\u0001" * 40_000 + b'","data":{"taskId":"t"}}',
        )
    )
)
header_values = st.text(
    alphabet=st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=40
) | st.sampled_from(("application/json", "text/plain", "gzip", "1787567410", "x" * 5_000))
headers = st.dictionaries(
    st.sampled_from(
        (
            "content-type",
            "content-encoding",
            "user-agent",
            "x-webhook-timestamp",
            "x-webhook-signature",
        )
    ),
    header_values,
    max_size=5,
)


def stored(arrived: Callback, *, keys: Keys = KEYS) -> Report:
    match judge(arrived, keys=keys, now=NOW):
        case Store(made):
            return made
        case Refuse(problem):
            pytest.fail(f"refused: {problem.name}")


def refused(arrived: Callback, *, keys: Keys = KEYS) -> Problem:
    match judge(arrived, keys=keys, now=NOW):
        case Refuse(problem):
            return problem
        case Store(_):
            pytest.fail("stored")


@given(bodies, headers)
def test_anything_with_a_valid_token_is_stored_and_fits_the_wire(
    raw: bytes, given_headers: dict[str, str]
) -> None:
    arrived = callback(raw, token=token(), headers=given_headers)

    made = stored(arrived)

    assert len(made.wire) <= WIRE_LIMIT
    assert ReportReceived.read(made.wire) == made.message
    assert made.message.body == raw[:BODY_KEPT]
    assert made.message.truncated == (len(raw) > BODY_KEPT)
    assert made.message.token is not None
    assert made.message.token.verdict == "valid"
    assert "x-webhook-signature" not in made.message.headers


@given(bodies, headers)
def test_without_a_token_only_what_names_its_task_is_stored(
    raw: bytes, given_headers: dict[str, str]
) -> None:
    decision = judge(callback(raw, headers=given_headers), keys=KEYS, now=NOW)

    if isinstance(decision, Store):
        message = decision.report.message
        assert message.reading.task_id is not None
        assert not message.truncated
        assert message.hmac.verdict != "mismatch"


@given(st.text(max_size=100))
def test_any_text_in_the_path_gets_an_answer(text: str) -> None:
    assert isinstance(judge(callback(token=text), keys=KEYS, now=NOW), Store | Refuse)


@given(bodies, headers)
def test_the_same_request_is_the_same_fact(raw: bytes, given_headers: dict[str, str]) -> None:
    arrived = callback(raw, token=token(), headers=given_headers)

    later = NOW + timedelta(seconds=30)
    again = judge(arrived, keys=KEYS, now=later)

    assert isinstance(again, Store)
    assert again.report.message.id == stored(arrived).message.id


def test_a_new_claim_or_another_body_is_a_new_fact() -> None:
    arrived = (
        callback(),
        callback(SUCCESS + b" "),
        callback(token=token()),
        callback(token=token(attempt=2)),
        callback(headers=signed("task-1", at=NOW)),
        callback(headers=signed("task-1", at=NOW - timedelta(hours=1))),
        callback(token=token(), headers={"x-webhook-signature": "wrong"}),
    )

    ids = [stored(each).message.id for each in arrived]
    ids.append(stored(callback(token=token()), keys=NO_KEYS).message.id)

    assert len(set(ids)) == len(ids)


def test_a_well_formed_token_of_an_unknown_key_is_stored_as_untrusted() -> None:
    made = stored(callback(token=token(key_id="retired", key=b"x" * 32)))

    assert made.message.token is not None
    assert made.message.token.verdict == "unknown_key"
    assert made.message.token.job_id == arrivals.JOB


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param(token(key=b"x" * 32), id="another key under our name"),
        pytest.param("nonsense", id="no token"),
        pytest.param("", id="empty"),
        pytest.param(token() + "A", id="longer"),
        pytest.param(token(attempt=0), id="attempt 0"),
        pytest.param(token(key_id="k2", attempt=0), id="attempt 0 of an unknown key"),
        pytest.param("\x00" * 50, id="nulls"),
        pytest.param("é" * 500, id="not ascii"),
    ],
)
def test_a_forged_token_is_refused_before_the_body_counts(forged: str) -> None:
    assert refused(callback(token=forged)) is answers.FORGED_TOKEN


@pytest.mark.parametrize(
    "arrived, problem",
    [
        (callback(b""), answers.NOT_JSON),
        (callback(b"{"), answers.NOT_JSON),
        (callback(b"[1]"), answers.NOT_JSON),
        (callback(b"\xff\xfe{}"), answers.NOT_JSON),
        (callback(b"[" * 100_000), answers.NOT_JSON),
        (callback(b"{}"), answers.NO_TASK_ID),
        (callback(b'{"taskId":"a","data":{"task_id":"b"}}'), answers.NO_TASK_ID),
        (callback(SUCCESS.replace(b"task-1", b"t" * 201)), answers.NO_TASK_ID),
        (callback(SUCCESS.replace(b"task-1", b"t\\u0000")), answers.NO_TASK_ID),
        (callback(SUCCESS + b" " * BODY_KEPT), answers.TOO_LARGE),
        (callback(headers={"content-type": "text/plain"}), answers.NOT_DECLARED_JSON),
        (callback(headers={"content-encoding": "gzip"}), answers.NOT_DECLARED_JSON),
        (callback(headers=signed("other", at=NOW)), answers.WRONG_SIGNATURE),
        (callback(headers=signed("task-1", at=NOW, key=b"not ours")), answers.WRONG_SIGNATURE),
        (callback(headers={"x-webhook-signature": "no timestamp"}), answers.WRONG_SIGNATURE),
    ],
)
def test_without_a_token_an_unfit_request_is_refused(arrived: Callback, problem: Problem) -> None:
    assert refused(arrived) is problem


@pytest.mark.parametrize(
    "raw, changed, anomaly",
    [
        (b"{", {}, "not_json"),
        (SUCCESS, {"content-type": "text/html"}, doubts.NOT_DECLARED_JSON),
        (SUCCESS, {"content-encoding": "gzip"}, doubts.NOT_DECLARED_JSON),
        (SUCCESS + b" " * BODY_KEPT, {}, doubts.BODY_TOO_LARGE),
        (SUCCESS[:-1] + b',"taskId":"other"}', {}, "task_id_conflict"),
        (SUCCESS.replace(b'"code":200', b'"code":501'), {}, "code_contradicts_state"),
        (SUCCESS.replace(b"task-1", b"t" * 201), {}, reported.TASK_ID_DROPPED),
    ],
)
def test_what_cannot_be_relied_on_becomes_a_reason_to_look(
    raw: bytes, changed: dict[str, str], anomaly: str
) -> None:
    reading = stored(callback(raw, token=token(), headers=changed)).message.reading

    assert reading.state is ReportState.UNKNOWN
    assert anomaly in reading.anomalies


@pytest.mark.parametrize(
    "media_type", ["application/json; charset=utf-8", "Application/JSON", "application/x+json", ""]
)
def test_every_way_to_say_json_is_read(media_type: str) -> None:
    made = stored(callback(headers={"content-type": media_type}))

    assert made.message.reading.state is ReportState.SUCCEEDED


@pytest.mark.parametrize(
    "signature, verdict, account",
    [
        ({}, "absent", None),
        (signed("task-1", at=NOW), "match", "studio"),
        (signed("task-1", at=NOW, key=b"the one before"), "match", "studio"),
        (signed("task-1", at=NOW - timedelta(seconds=300)), "match", "studio"),
        (signed("task-1", at=NOW - timedelta(seconds=301)), "stale", "studio"),
        (signed("task-1", at=NOW + timedelta(seconds=301)), "stale", "studio"),
        (signed("task-2", at=NOW), "mismatch", None),
        ({"x-webhook-signature": "\xe9" * 300, "x-webhook-timestamp": "x"}, "mismatch", None),
    ],
)
def test_the_signature_becomes_a_claim(
    signature: dict[str, str], verdict: str, account: str | None
) -> None:
    claim = stored(callback(token=token(), headers=signature)).message.hmac

    assert (claim.verdict, claim.account) == (verdict, account)


def test_without_keys_a_signature_says_nothing() -> None:
    made = stored(callback(headers=signed("task-1", at=NOW, key=b"any")), keys=NO_KEYS)

    assert made.message.hmac.verdict == "absent"


@pytest.mark.parametrize("name", arrivals.samples())
def test_kies_own_samples_are_read_as_expected(name: str) -> None:
    sample = arrivals.samples()[name]
    expected = sample["expect"]
    raw = json.dumps(sample["body"]).encode()

    reading = stored(callback(raw, token=token())).message.reading

    assert reading.state.value == expected["state"]
    assert reading.task_id == expected["task_id"]
    assert {one.url for one in reading.media if one.url} == set(expected["result_urls"])  # type: ignore[call-overload]  # a list in every line
    assert (reading.error_class is not None) == (expected["state"] == "failed")


def test_a_reading_that_does_not_fit_gives_way_to_the_body() -> None:
    link = ReportedMedia(kind=MediaKind.IMAGE, url="https://files.example/" + "é" * 4_000)
    reading = Reading(
        state=ReportState.SUCCEEDED, task_id="t", media=(link,) * 200, error_message="\x01" * 2_000
    )
    raw = b"\xff" * BODY_KEPT

    made = report(
        callback(raw),
        Claims(token=None, hmac=HmacClaim(verdict="absent"), reading=reading),
        now=NOW,
    )

    assert len(made.wire) <= WIRE_LIMIT
    assert ReportReceived.read(made.wire) == made.message
    assert made.message.body == raw
    assert made.message.reading.task_id == "t"
    assert made.message.reading.state is ReportState.UNKNOWN
    assert made.message.reading.anomalies == (doubts.READING_DROPPED,)


@pytest.mark.parametrize("problem", answers.ALL, ids=lambda problem: problem.name)
def test_every_problem_says_what_to_do(problem: Problem) -> None:
    assert problem.type == f"urn:sendonce:callback:{problem.name}"
    assert all((problem.title, problem.detail, problem.hint))
    assert (problem.retry_after is not None) == (problem.status in (429, 500, 503))
