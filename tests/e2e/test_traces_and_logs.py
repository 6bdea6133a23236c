"""One trace from the callback to the Telegram call, one line for each message, seen in a real run."""

import base64
import json
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from deployment import TOKEN
from job_store.migrate import migrate_database as migrate
from testkit.collector import SeenSpan
from testkit.processes.service import STOP_WITHIN
from testkit.servers.databases import TemplateDatabases
from testkit.servers.sources import ServerSources
from watched_lives import CHATS, PROMPT, TROUBLES, Line, Lives, lived

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

# From a Telegram call back to the first cause; what stands before it depends on who asked.
HANDED_OUT = ["process deliveries.requested", "send deliveries.requested"]
CALLED_BACK = ["process reports.received", "send reports.received", "receive callback"]
TAGS = {
    "[GEN_CREATE]",
    "[JOB_CREATE]",
    "[JOB_UPDATE]",
    "[KIE_CALLBACK]",
    "[ORPHAN_RECONCILE]",
    "[DELIVERY_RETRY]",
    "[TELEGRAM_SUCCESS]",
}
# The one line of a handled message, by what it was read from.
LINES = {
    ("job_store", "job-store-reports"): ("[KIE_CALLBACK] report.", "[JOB_UPDATE] report."),
    ("job_store", "job-store-submissions"): ("[JOB_UPDATE] submission.",),
    ("job_store", "job-store-deliveries"): (
        "[TELEGRAM_SUCCESS] delivery.",
        "[DELIVERY_RETRY] delivery.",
        "[JOB_UPDATE] delivery.",
    ),
    ("submitter", "submitter"): ("[GEN_CREATE] submission.",),
    ("deliverer", "deliverer"): ("[TELEGRAM_SUCCESS] delivery.", "[DELIVERY_RETRY] delivery."),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def lives(
    server_sources: ServerSources,
    template_databases: TemplateDatabases,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Lives]:
    directory = tmp_path_factory.mktemp("lives")
    async with (
        server_sources.empty_nats(directory / "nats") as nats,
        template_databases.clone(migrate) as database_url,
    ):
        yield await lived(nats_url=nats.url, database_url=database_url, directory=directory)


def showing(lives: Lives, trace_id: str) -> SeenSpan:
    """The call that put a result into its chat."""
    spans = lives.collector.of_trace(trace_id)
    return [span for span in spans if span.name.startswith("telegram edit")][-1]


def ancestry(lives: Lives, span: SeenSpan) -> list[str]:
    return [one.name for one in lives.collector.ancestry(span)]


def test_one_trace_has_a_jobs_whole_life_under_the_jobs_own_id(lives: Lives) -> None:
    trace_id = lives.jobs["normal"].id.hex
    call = showing(lives, trace_id)

    assert ancestry(lives, call)[1:] == [*HANDED_OUT, *CALLED_BACK, "create job"]
    assert [span.service for span in lives.collector.ancestry(call)] == [
        *("deliverer", "deliverer", "job-store"),
        *("job-store", "callback-gateway", "callback-gateway", "job-store"),
    ]
    (made,) = [one for one in lives.collector.of_trace(trace_id) if one.name == "kie createTask"]
    assert ancestry(lives, made)[1:] == [
        "process submissions.requested",
        "send submissions.requested",
        "create job",
    ]


def test_every_span_begins_after_its_cause_and_none_is_an_orphan(lives: Lives) -> None:
    for name in ("normal", "retry"):
        spans = lives.collector.of_trace(lives.jobs[name].id.hex)
        by_id = {span.span_id: span for span in spans}
        (root,) = [span for span in spans if span.parent_id is None]
        assert root.name == "create job"
        for span in spans:
            if span is not root:
                assert span.began >= by_id[span.parent_id or ""].began, span
    asked = [span for span in spans if span.name == "answer effects.begin"]
    assert [ancestry(lives, one)[1:3] for one in asked] == [
        ["ask effects.begin", "process submissions.requested"]
    ]


def test_an_orphans_result_belongs_to_the_trace_of_its_callback(lives: Lives) -> None:
    job = lives.jobs["orphan"]
    (matched,) = [span for span in lives.collector.spans if span.name == "match orphan"]
    call = showing(lives, matched.trace_id)

    assert ancestry(lives, call)[1:] == [*HANDED_OUT, "match orphan", *CALLED_BACK]
    assert matched.attributes["sendonce.job_id"] == str(job.id)
    assert matched.trace_id != job.id.hex


def test_a_retry_descends_from_the_outcome_that_asked_for_it(lives: Lives) -> None:
    call = showing(lives, lives.jobs["retry"].id.hex)

    told = ["process deliveries.outcome", "send deliveries.outcome"]
    assert ancestry(lives, call)[1:] == [
        *HANDED_OUT,
        *told,
        *HANDED_OUT,
        *CALLED_BACK,
        "create job",
    ]
    handled = [
        span.attributes["sendonce.outcome"]
        for span in lives.collector.ancestry(call)
        if span.name == "process deliveries.requested"
    ]
    assert handled == ["done", "later"]


def test_a_transaction_is_part_of_its_message_or_linked_to_all_of_them(lives: Lives) -> None:
    applied = [span for span in lives.collector.spans if span.name.startswith("apply ")]

    assert {span.name for span in applied} == {
        "apply reports",
        "apply submissions",
        "apply deliveries",
    }
    for span in applied:
        alone = span.attributes["messaging.batch.message_count"] == 1
        assert bool(span.links) != alone
        assert (span.parent_id is not None) == alone


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_bad_collector_costs_counted_spans_and_nothing_else(lives: Lives, trouble: str) -> None:
    assert lives.jobs[trouble].parts[0].state == "shown"  # or the run would not have ended
    assert lives.lost_spans[trouble] > 0
    told = [line["event"] for line in lives.lines["job_store"] if "traces." in line["event"]]
    assert told[:2] == ["traces.not_exported", "traces.exported_again"]
    # It hung when they were told to stop: none had to be killed.
    assert lives.stopped_in < STOP_WITHIN
    assert all(any(line["event"] == "nats.closed" for line in one) for one in lives.lines.values())


# -- the log ---------------------------------------------------------------------------------------------


def test_the_normal_cycle_is_told_in_its_order(lives: Lives) -> None:
    said = lives.said("normal")

    in_order = [
        "[JOB_CREATE] job.created",
        "[GEN_CREATE] submission.created",
        "[JOB_UPDATE] submission.applied",
        "[KIE_CALLBACK] callback.stored",
        "[KIE_CALLBACK] report.applied",
        "[TELEGRAM_SUCCESS] delivery.shown",
        "[TELEGRAM_SUCCESS] delivery.done",
    ]
    last = {event: len(said) - 1 - said[::-1].index(event) for event in in_order}
    assert sorted(in_order, key=lambda event: last[event]) == in_order, said
    assert not [event for event in said if event.startswith("[DELIVERY_RETRY]")]


def test_the_orphan_race_is_told(lives: Lives) -> None:
    (matched,) = [line for line in lives.lines_of("orphan") if "[ORPHAN_" in line["event"]]
    of_its_trace = [
        line
        for line in every_line(lives)
        if line.get("trace_id") == matched["trace_id"] and line["level"] != "debug"
    ]
    events = [line["event"] for line in of_its_trace]

    assert events[:3] == [
        "[KIE_CALLBACK] callback.stored",
        "[KIE_CALLBACK] report.applied",
        "[ORPHAN_RECONCILE] orphan.matched",
    ]
    assert of_its_trace[1]["did"] == "orphan"
    assert matched["did"] == "succeeded"
    assert events[-1] == "[TELEGRAM_SUCCESS] delivery.done"


def test_the_retry_of_what_was_not_delivered_is_told(lives: Lives) -> None:
    said = lives.said("retry", "[DELIVERY_RETRY]", "[TELEGRAM_SUCCESS]")

    assert said == [
        "[DELIVERY_RETRY] delivery.not_shown",
        "[DELIVERY_RETRY] delivery.due_again",
        "[TELEGRAM_SUCCESS] delivery.shown",
        "[TELEGRAM_SUCCESS] delivery.done",
    ]
    (again,) = [line for line in lives.lines_of("retry") if "due_again" in line["event"]]
    assert again["again_in"] >= 1.0


@pytest.mark.parametrize("name", ["normal", "retry", *TROUBLES, "back"])
def test_one_trace_id_goes_from_the_callback_to_the_message(lives: Lives, name: str) -> None:
    lines = lives.lines_of(name)

    assert {line["trace_id"] for line in lines} == {lives.jobs[name].id.hex}
    assert {line["service"] for line in lines} == {
        "job-store",
        "submitter",
        "callback-gateway",
        "deliverer",
    }


def test_every_tag_of_the_first_system_is_there(lives: Lives) -> None:
    said = {str(line["event"]).partition(" ")[0] for line in every_line(lives)}

    assert {one for one in said if one.startswith("[")} == TAGS


def test_every_handled_message_has_exactly_one_line(lives: Lives) -> None:
    for (service, durable), events in LINES.items():
        counted = lives.counts[service]
        label = f'messages_handled_total{{durable="{durable}",outcome="acked"}}'
        told = [line for line in lives.lines[service] if str(line["event"]).startswith(events)]

        assert counted[label] == len(told) > 0, (service, durable)
    answered = lives.counts["callback_gateway"]['callback_answers_total{code="200"}']
    gateway = lives.lines["callback_gateway"]
    assert answered == sum(line["event"].endswith("callback.stored") for line in gateway)


def test_neither_prompt_nor_key_nor_token_is_in_any_line_or_span(lives: Lives) -> None:
    sent = b"".join(lives.collector.raw)
    for secret in (PROMPT, TOKEN, "callBackUrl", "/callbacks/kie/k1", "resultUrls"):
        assert secret not in lives.logs
        assert secret.encode() not in sent
    assert b"nano-banana" not in sent


def test_no_secret_can_be_read_anywhere(lives: Lives) -> None:
    """Not in a log line, an error, a trace, a metric, a table, a stream, or on a screen of the command."""
    places = {f"log of {name}": json.dumps(lines) for name, lines in lives.lines.items()}
    found = [
        (what, place)
        for place, text in (places | lives.readable).items()
        for what, secret in lives.secrets.items()
        if any(form in text for form in forms(secret))
    ]

    assert found == []
    assert len([what for what in lives.secrets if what.startswith("callback token")]) > len(CHATS)
    for place, text in lives.readable.items():
        assert text or place.startswith("table"), place


def forms(secret: str) -> Iterator[str]:
    """A secret as it stands, as Postgres and as JSON show bytes."""
    yield secret
    yield secret.encode().hex()
    for lead in range(3):  # of a base64 text only the digits that hold nothing else are sure
        coded = base64.b64encode(b"-" * lead + secret.encode()).decode()
        yield coded[4 if lead else 0 : -4]


def every_line(lives: Lives) -> list[Line]:
    lines = [line for of_service in lives.lines.values() for line in of_service]
    return sorted(lines, key=lambda line: str(line["timestamp"]))
