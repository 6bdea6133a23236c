"""What a caller hears and what then stands in the stream, over real HTTP and a real NATS."""

import asyncio
import json
from datetime import timedelta

import httpx
import pytest
from structlog.testing import capture_logs

from callback_arrivals import JOB, SUCCESS, samples, signed, token
from callback_gateway import http
from callback_gateway.domain.arrival import BODY_KEPT, Callback
from callback_port import Port, Reports
from chassis import clock
from contracts.reports import ReportState

PROBLEM = "application/problem+json"


def problem_of(answer: httpx.Response) -> dict[str, object]:
    assert answer.headers["content-type"] == PROBLEM
    document: dict[str, object] = answer.json()
    assert document["status"] == answer.status_code
    assert set(document) == {"type", "title", "status", "detail", "hint"}
    return document


async def test_a_callback_is_answered_once_it_stands_in_the_stream(
    port: Port, reports: Reports
) -> None:
    answer = await port.post(SUCCESS, token=token(), headers={"x-own": "v", "user-agent": "KIE"})

    assert answer.status_code == 200
    assert answer.json() == {"code": 200, "msg": "success"}
    report = await reports.last()
    assert report.token is not None
    assert (report.token.verdict, report.token.job_id) == ("valid", JOB)
    assert report.body == SUCCESS
    assert report.reading.state is ReportState.SUCCEEDED
    assert report.reading.media[0].url == "https://files.example/a.mp4"
    assert report.headers == {"content-type": "application/json", "user-agent": "KIE"}


UNFIT = {
    "nothing": (b"", {}, 400),
    "garbage": (b"\x00\xff\x00", {}, 400),
    "nulls": (b"\x00" * 1_000, {}, 400),
    "a list": (b"[]", {}, 400),
    "no task": (b"{}", {}, 400),
    "a null in the task id": (SUCCESS.replace(b"task-1", b"t\\u0000"), {}, 400),
    "bad signature": (SUCCESS, {"x-webhook-signature": "bad", "x-webhook-timestamp": "1"}, 401),
    "too large": (b" " * (BODY_KEPT + 1), {}, 413),
    "10 MB": (b"x" * 10_000_000, {}, 413),
    "text": (SUCCESS, {"content-type": "text/plain"}, 415),
    "gzip": (SUCCESS, {"content-encoding": "gzip"}, 415),
}


@pytest.mark.parametrize("name", UNFIT)
async def test_fault_12_an_unfit_request_without_a_token_is_refused_and_leaves_nothing(
    port: Port, reports: Reports, name: str
) -> None:
    raw, headers, status = UNFIT[name]

    answer = await port.post(raw, headers=headers)

    assert answer.status_code == status
    problem_of(answer)
    assert await reports.are_empty()


@pytest.mark.parametrize("name", UNFIT)
async def test_fault_12_with_a_valid_token_nothing_is_refused(
    port: Port, reports: Reports, name: str
) -> None:
    raw, headers, _ = UNFIT[name]

    answer = await port.post(raw, token=token(), headers=headers)

    assert answer.status_code == 200
    report = await reports.last()
    assert report.body == raw[:BODY_KEPT]
    assert report.truncated == (len(raw) > BODY_KEPT)


async def test_fault_11_a_forged_token_is_refused_and_not_quoted(
    port: Port, reports: Reports
) -> None:
    forged = token(key=b"x" * 32)

    answer = await port.post(SUCCESS, token=forged)

    assert answer.status_code == 401
    problem_of(answer)
    assert forged not in answer.text
    assert await reports.are_empty()


@pytest.mark.parametrize("path", ["%00%ff", "a%2Fb", "%F0%9F%98%80", "x" * 4_000])
async def test_a_path_of_any_kind_gets_a_problem(port: Port, path: str) -> None:
    answer = await port.client.post(f"/callbacks/kie/{path}", content=SUCCESS)

    assert answer.status_code in (401, 404)
    problem_of(answer)


async def test_a_token_of_an_unknown_key_is_stored_as_untrusted(
    port: Port, reports: Reports
) -> None:
    answer = await port.post(SUCCESS, token=token(key_id="retired", key=b"x" * 32))

    assert answer.status_code == 200
    report = await reports.last()
    assert report.token is not None
    assert report.token.verdict == "unknown_key"


async def test_without_token_and_signature_it_is_stored_as_untrusted(
    port: Port, reports: Reports
) -> None:
    answer = await port.post(SUCCESS)

    assert answer.status_code == 200
    report = await reports.last()
    assert report.token is None
    assert report.hmac.verdict == "absent"


async def test_fault_11_kies_signature_is_believed_only_as_far_as_it_goes(
    port: Port, reports: Reports
) -> None:
    sample = samples()["suno_music/success_complete_signed"]
    raw = json.dumps(sample["body"]).encode()

    answer = await port.post(raw, headers=sample["headers"])

    assert answer.status_code == 200
    report = await reports.last()
    # The sample was signed long ago.
    assert (report.hmac.verdict, report.hmac.account) == ("stale", "studio")
    assert "x-webhook-signature" not in report.headers
    assert sample["headers"]["X-Webhook-Signature"].encode() not in report.wire()


async def test_parallel_and_later_repeats_are_stored_once(port: Port, reports: Reports) -> None:
    parallel = await asyncio.gather(*(port.post(SUCCESS, token=token()) for _ in range(5)))
    later = await port.post(SUCCESS, token=token())

    assert {answer.status_code for answer in (*parallel, later)} == {200}
    assert await reports.count() == 1


async def test_every_new_fact_about_one_task_is_stored(port: Port, reports: Reports) -> None:
    failure = SUCCESS.replace(b'"code":200', b'"code":501').replace(b"success", b"fail")

    answers = [
        await port.post(SUCCESS, token=token()),
        await port.post(failure, token=token()),
        await port.post(SUCCESS),
        await port.post(SUCCESS, headers=signed_now()),
    ]

    assert {answer.status_code for answer in answers} == {200}
    assert await reports.count() == 4


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/callbacks/kie", "/callbacks/kie/some-token"])
async def test_other_methods_are_refused(port: Port, method: str, path: str) -> None:
    answer = await port.client.request(method, path)

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    if method != "HEAD":
        problem_of(answer)


@pytest.mark.parametrize("path", ["/", "/callbacks", "/callbacks/kie/", "/callbacks/kie/a/b", "/x"])
async def test_other_addresses_are_not_found(port: Port, path: str) -> None:
    answer = await port.client.post(path, content=SUCCESS)

    assert answer.status_code == 404
    problem_of(answer)


async def test_after_any_refusal_the_port_still_serves(port: Port, reports: Reports) -> None:
    for raw, headers, _ in UNFIT.values():
        await port.post(raw, headers=headers)

    assert (await port.post(SUCCESS, token=token())).status_code == 200
    assert await reports.count() == 1


def signed_now() -> dict[str, str]:
    return signed("task-1", at=clock.SYSTEM.now())


async def test_a_bug_is_answered_with_a_problem_and_logged_without_the_request() -> None:
    async def broken(_callback: Callback, *, began: float) -> None:
        raise RuntimeError(f"quotes {SUCCESS!r}")

    limits = http.Limits(body_deadline=timedelta(seconds=5), body_bytes=2**20, open_requests=1)
    door = http.Door(broken, limits=limits, clock=clock.SYSTEM)
    transport = httpx.ASGITransport(door)

    with capture_logs() as lines:
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            answer = await client.post("/callbacks/kie", content=SUCCESS)

    assert answer.status_code == 500
    problem_of(answer)
    assert next(line["event"] for line in lines) == "[KIE_CALLBACK] callback.broke"
    assert "Playground" not in repr(lines)
