"""Contexts go on whether anybody records or not; what is recorded arrives, and never at the work's cost."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
import structlog

from chassis import logs, metrics, tracing
from chassis.tracing import otlp
from chassis.tracing.context import share, written
from contracts.values import new_id, trace_of
from testkit.collector import Collector

CAUSE = written("a" * 31 + "1", "b" * 16, kept=False)


@pytest_asyncio.fixture
async def collector() -> AsyncIterator[Collector]:
    async with Collector() as running:
        yield running


def spans_counted(outcome: str) -> float:
    lines = metrics.exposition().decode().splitlines()
    name = f'sendonce_trace_spans_total{{outcome="{outcome}"}} '
    return next((float(line.split()[-1]) for line in lines if line.startswith(name)), 0.0)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "00-zz-zz-zz",
        CAUSE + "0",
        CAUSE.upper(),
        "01" + CAUSE[2:],
        written("0" * 32, "b" * 16, kept=True),
        written("a" * 32, "0" * 16, kept=True),
        f" {CAUSE}",
        f"{CAUSE}\n",
    ],
)
def test_what_is_no_context_counts_as_none(text: str | None) -> None:
    assert tracing.read(CAUSE) == CAUSE
    assert tracing.read(text) is None
    assert tracing.carried({} if text is None else {"traceparent": text}) is None


def test_a_jobs_trace_is_its_id_and_a_context_that_everybody_reads() -> None:
    for job_id in (new_id(), uuid4()):
        context = tracing.read(trace_of(job_id))

        assert context is not None
        assert UUID(tracing.trace_id(context)) == job_id


def test_a_share_of_jobs_is_kept_evenly_although_a_uuid_has_fixed_bits() -> None:
    shares = [share(trace_of(new_id())) for _ in range(2_000)]

    for ratio in (0.1, 0.5, 0.9):
        assert sum(one < ratio for one in shares) / len(shares) == pytest.approx(ratio, abs=0.05)


def test_without_a_recorder_the_cause_goes_on_unchanged() -> None:
    with tracing.span("process", parent=CAUSE) as outer, tracing.span("call") as inner:
        tracing.note(job_id="j")
        assert outer.context == inner.context == tracing.current() == CAUSE
        assert tracing.headers() == {"traceparent": CAUSE}

    assert tracing.current() is None
    assert tracing.headers() is None
    with tracing.span("begins") as first, tracing.span("begins", parent=None) as second:
        assert tracing.read(first.context) == first.context == second.context


def test_who_records_nothing_does_not_even_import_the_recorder() -> None:
    code = "import sys, chassis.bus, chassis.health, chassis.lifecycle; print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout

    assert b"chassis.tracing.spans" in loaded
    assert b"opentelemetry.trace" not in loaded
    assert b"google.protobuf" not in loaded


async def test_every_line_says_in_which_trace_it_was_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure(output="json")
    log = structlog.get_logger()

    async def one(context: str) -> None:
        with tracing.span("process", parent=context):
            await asyncio.sleep(0)  # noqa: TID251 - the other's turn
            log.info("done", mine=tracing.trace_id(context))

    await asyncio.gather(one(CAUSE), one(trace_of(uuid4())))
    log.info("outside")

    *inside, outside = map(json.loads, capsys.readouterr().err.splitlines())
    assert len(inside) == 2
    assert all(line["trace_id"] == line["mine"] for line in inside)
    assert "trace_id" not in outside


async def test_spans_arrive_with_their_parents_links_and_facts(collector: Collector) -> None:
    job_id = uuid4()
    with tracing.exporting(collector.url, ratio=1.0, service="job-store"):
        tracing.root("create job", trace_of(job_id), since=time.monotonic() - 1, facts={"a": 1})
        with tracing.span("process x", tracing.Kind.CONSUMER, parent=trace_of(job_id)) as outer:
            tracing.note(job_id=str(job_id), nothing=None, leak="/bot123456:" + "A" * 35 + "/x")
            with (
                pytest.raises(RuntimeError),
                tracing.span("call", tracing.Kind.CLIENT, links=[CAUSE]) as inner,
            ):
                raise RuntimeError("a secret lake")
        with tracing.batch("apply", [outer.context]):
            pass
        with tracing.batch("apply", [outer.context, None, CAUSE]):
            pass
        await collector.until(lambda it: len(it.spans) == 5)

    found = {(span.name, bool(span.links)): span for span in collector.spans}
    job, process, call = (
        found["create job", False],
        found["process x", False],
        found["call", True],
    )
    alone, shared = found["apply", False], found["apply", True]
    assert (job.name, job.trace_id, job.parent_id) == ("create job", job_id.hex, None)
    assert job.ended - job.began > 0.9e9
    assert [span.name for span in collector.ancestry(call)] == ["call", "process x", "create job"]
    assert (call.is_error, call.attributes["error.type"]) == (True, "RuntimeError")
    assert (call.kind, process.kind) == ("CLIENT", "CONSUMER")
    assert call.links == ((CAUSE[3:35], CAUSE[36:52]),)
    assert process.attributes["sendonce.leak"] == "/bot[hidden]/x"
    assert "sendonce.nothing" not in process.attributes
    assert process.service == "job-store"
    assert alone.parent_id == process.span_id == outer.context[36:52]
    assert shared.trace_id not in {job_id.hex, CAUSE[3:35]}
    assert len(shared.links) == 2
    assert shared.attributes["messaging.batch.message_count"] == 3
    assert inner.context.endswith("-01")
    assert not [body for body in collector.raw if b"a secret lake" in body]


async def test_a_ratio_keeps_whole_traces_and_a_batch_with_any_of_them(
    collector: Collector,
) -> None:
    contexts = [trace_of(new_id()) for _ in range(200)]
    kept = {tracing.trace_id(one) for one in contexts if share(one) < 0.25}
    with tracing.exporting(collector.url, ratio=0.25, service="s"):
        for context in contexts:
            with tracing.span("outer", parent=context), tracing.span("inner"):
                pass
        with tracing.batch("apply", contexts):
            pass
        await collector.until(lambda it: len(it.spans) >= 2 * len(kept) + 1)

    (batch,) = [span for span in collector.spans if span.name == "apply"]
    assert 0 < len(kept) < len(contexts)
    assert {span.trace_id for span in collector.spans if span is not batch} == kept
    assert {trace for trace, _ in batch.links} == kept


@pytest.mark.parametrize("trouble", ["away", "500", "hangs"])
async def test_a_bad_collector_costs_counted_spans_and_no_time(
    collector: Collector, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp, "HELD", 50)
    monkeypatch.setattr(otlp, "EVERY", 0.05)
    monkeypatch.setattr(otlp, "TIMEOUT", 0.3)
    monkeypatch.setattr(otlp, "LAST", 0.2)
    if trouble == "away":
        await collector.close()
    collector.status = 500 if trouble == "500" else 200
    collector.hangs = trouble == "hangs"
    failed, dropped = spans_counted("failed"), spans_counted("dropped")

    with tracing.exporting(collector.url, ratio=1.0, service="s"):
        began = time.monotonic()
        for _ in range(1_000):
            with tracing.span("work"):
                pass
        worked = time.monotonic() - began
        await asyncio.to_thread(_until, lambda: spans_counted("failed") > failed)
        leaving = time.monotonic()
    left = time.monotonic() - leaving

    assert spans_counted("dropped") > dropped
    assert collector.spans == []
    assert worked < 1.0
    assert left < 1.0


async def test_a_collector_that_is_back_gets_what_comes_then(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp, "EVERY", 0.05)
    collector.status = 500
    before = spans_counted("failed")
    with (
        structlog.testing.capture_logs() as told,
        tracing.exporting(collector.url, ratio=1.0, service="s"),
    ):
        for _ in range(3):
            with tracing.span("lost"):
                pass
            await asyncio.to_thread(_until, lambda: bool(collector.raw))
        await asyncio.to_thread(_until, lambda: spans_counted("failed") >= before + 3)
        collector.status = 200
        with tracing.span("kept"):
            pass
        await collector.until(lambda it: bool(it.spans))
        await asyncio.to_thread(_until, lambda: len(told) == 2)

    assert [span.name for span in collector.spans] == ["kept"]
    # Said when it begins and when it is over, however many requests failed between.
    assert [line["event"] for line in told] == ["traces.not_exported", "traces.exported_again"]


async def test_what_is_left_is_sent_when_the_process_ends(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp, "EVERY", 3_600)

    def work() -> None:
        with tracing.exporting(collector.url, ratio=1.0, service="s"):
            for _ in range(otlp.BATCH // 2):
                tracing.span("last").end()

    await asyncio.to_thread(work)

    assert len(collector.spans) == otlp.BATCH // 2


def _until(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not fact():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.01)  # noqa: TID251 - the rate at which a thread's work is looked at
