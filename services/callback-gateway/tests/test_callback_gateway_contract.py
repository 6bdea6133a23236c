"""The gateway and the frozen messages: every report it makes is one that its readers know."""

import hashlib

import pytest

import callback_arrivals as arrivals
from callback_arrivals import KEYS, NOW, callback, signed, token
from callback_gateway.domain.arrival import BODY_KEPT, Callback
from callback_gateway.domain.judgement import Store, judge, standing
from callback_gateway.domain.reports import Claims, report
from contracts import samples
from contracts.reports import ReportReceived

REPORTS = [ReportReceived.read(raw) for raw in samples.of(ReportReceived)]
FROZEN = [one for one in REPORTS if one.origin == "callback"]
ARRIVALS = {
    "token": callback(token=token()),
    "unknown_key": callback(token=token(key_id="k9")),
    "signed": callback(headers=signed("task-1", at=NOW)),
    "neither": callback(),
    "not_json": callback(b"\xff", token=token()),
    "too_large": callback(b"x" * (BODY_KEPT + 1), token=token()),
}


def made(arrival: Callback) -> bytes:
    match judge(arrival, keys=KEYS, now=NOW):
        case Store(stored):
            return stored.wire
        case refusal:
            raise AssertionError(refusal)


@pytest.mark.parametrize("arrival", ARRIVALS.values(), ids=ARRIVALS)
def test_every_report_it_makes_has_the_fields_of_the_frozen_ones(arrival: Callback) -> None:
    read = ReportReceived.read(made(arrival))

    known = set().union(*(one.model_fields_set for one in FROZEN))
    always = set.intersection(*(one.model_fields_set for one in FROZEN))
    assert always <= read.model_fields_set <= known
    assert read.reading.model_fields_set <= set().union(
        *(one.reading.model_fields_set for one in FROZEN)
    )


@pytest.mark.parametrize("name", sorted(arrivals.samples()))
def test_kies_own_callbacks_become_reports_that_are_read(name: str) -> None:
    raw = str(arrivals.samples()[name]["body"]).encode()

    assert ReportReceived.read(made(callback(raw, token=token()))).body == raw


@pytest.mark.parametrize("frozen", FROZEN, ids=standing)
def test_the_claims_of_a_frozen_report_make_the_same_report(frozen: ReportReceived) -> None:
    claims = Claims(token=frozen.token, hmac=frozen.hmac, reading=frozen.reading)
    again = report(callback(frozen.body, token=token()), claims, now=frozen.at).message

    assert again.body_digest == frozen.body_digest == hashlib.sha256(frozen.body).hexdigest()
    assert (again.token, again.hmac, again.reading) == (claims.token, claims.hmac, claims.reading)
    assert again.id.split("-")[0] == frozen.id.split("-")[0] == "callback"
