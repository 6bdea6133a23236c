"""Alerts ask for what the code counts, are shown to fire and not to fire, and say where to read on."""

import re
from typing import Final

import pytest

from observability.counted import counted
from observability.promql import read
from observability.shipped import Alert, alerts, dashboard_queries, expectations, sections
from observability.unknown import unknown_in

SEVERITIES: Final = {"critical", "warning"}

ALERTS: Final = alerts()
of_each_alert = pytest.mark.parametrize("alert", ALERTS, ids=[alert.name for alert in ALERTS])


@of_each_alert
def test_an_alert_asks_for_what_the_code_counts(alert: Alert) -> None:
    assert unknown_in(read(alert.rule["expr"])) == set()


@of_each_alert
def test_an_alert_says_how_bad_it_is_and_what_is_wrong(alert: Alert) -> None:
    assert alert.rule["labels"]["severity"] in SEVERITIES
    assert {"summary", "description", "runbook_url"} == alert.rule["annotations"].keys()


@of_each_alert
def test_an_alert_has_a_section_of_the_runbook_that_names_it(alert: Alert) -> None:
    assert f"`{alert.name}`" in sections()[alert.section]


@of_each_alert
def test_promtool_is_asked_whether_an_alert_fires_and_whether_it_keeps_still(alert: Alert) -> None:
    assert set(expectations()[alert.name]) == {True, False}


def test_no_alert_stands_twice_and_none_is_expected_that_does_not_stand() -> None:
    names = [alert.name for alert in ALERTS]

    assert len(names) == len(set(names))
    assert expectations().keys() == set(names)


def test_the_runbook_names_no_alert_that_does_not_stand() -> None:
    lines = re.findall(r"^Alerts?: (.*)$", "\n".join(sections().values()), re.MULTILINE)
    named = {name for line in lines for name in re.findall(r"`(\w+)`", line)}

    assert named == {alert.name for alert in ALERTS}


def test_everything_that_is_counted_is_looked_at() -> None:
    asked = [read(alert.rule["expr"]) for alert in ALERTS] + [read(q) for q in dashboard_queries()]
    looked_at = {name for query in asked for name in query.metrics}
    ours = {name for name in counted().metrics if name.startswith("sendonce_")}

    unseen = ours - looked_at

    # Of a histogram one of its series is enough.
    histograms = {name.removesuffix("_bucket") for name in looked_at if name.endswith("_bucket")}
    assert {
        name for name in unseen if re.sub("_(bucket|sum|count)$", "", name) not in histograms
    } == set()


@pytest.mark.parametrize(
    "query,unknown",
    [
        ("sendonce_nothing_total", "sendonce_nothing_total"),
        ('sendonce_jobs_open{colour="red"}', "sendonce_jobs_open{colour}"),
        ('sendonce_jobs_open{state="lost"}', "state=lost"),
        ('sendonce_law_offenders{law=~"shown_twice|forgotten"}', "law=~shown_twice|forgotten"),
        ("max by (colour) (sendonce_jobs_open)", "colour"),
    ],
    ids=["metric", "label", "value", "alternative", "grouping"],
)
def test_what_nobody_counts_is_noticed(query: str, unknown: str) -> None:
    assert unknown_in(read(query)) == {unknown}


def test_what_is_no_query_is_noticed() -> None:
    with pytest.raises(ValueError, match="unclosed"):
        read("sum by (bot) (")
