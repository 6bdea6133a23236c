"""Alerts ask for what the code counts, are shown to fire and not to fire, and say where to read on."""

import re
from typing import Final

import pytest

from observability.counted import counted
from observability.promql import Matcher, Query, read
from observability.shipped import Alert, alerts, dashboard_queries, expectations, sections

# What the scrape config or Prometheus itself puts on a series.
OF_TARGETS: Final = frozenset({"job", "instance", "service"})
OF_PROMETHEUS: Final = {
    "up": frozenset(),
    "ALERTS": frozenset({"alertname", "alertstate", "severity"}),
}
# Values that a deployment chooses.
OPEN: Final = OF_TARGETS | {"bot", "alertname", "alertstate", "severity"}
SEVERITIES: Final = {"critical", "warning"}

ALERTS: Final = alerts()
of_each_alert = pytest.mark.parametrize("alert", ALERTS, ids=[alert.name for alert in ALERTS])


def unknown_in(query: Query) -> set[str]:
    """Name what a query asks for that nobody makes: metrics, labels, values."""
    made = {name: labels | OF_TARGETS for name, labels in counted().metrics.items()}
    made |= {name: labels | OF_TARGETS for name, labels in OF_PROMETHEUS.items()}
    unknown = query.metrics - made.keys()
    labels = set().union(*(made.get(name, set()) for name in query.metrics), query.made)
    if "ALERTS" not in query.metrics:  # an alert carries whatever its query left
        unknown |= query.grouped - labels
    for matcher in query.matchers:
        if matcher.label not in made.get(matcher.metric, ()):
            unknown.add(f"{matcher.metric}{{{matcher.label}}}")
        elif not is_possible(matcher):
            unknown.add(f"{matcher.label}{matcher.op}{matcher.value}")
    return unknown


def is_possible(matcher: Matcher) -> bool:
    values = counted().values.get(matcher.label)
    return matcher.label in OPEN if values is None else matcher.names(values)


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
