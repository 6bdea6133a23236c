"""What a query asks for that nobody counts."""

from typing import Final

from observability.counted import counted
from observability.promql import Matcher, Query

# What the scrape config or Prometheus itself puts on a series.
OF_TARGETS: Final = frozenset({"job", "instance", "service"})
OF_PROMETHEUS: Final = {
    "up": frozenset(),
    "ALERTS": frozenset({"alertname", "alertstate", "severity"}),
}
# Values that a deployment chooses.
OPEN: Final = OF_TARGETS | {"bot", "alertname", "alertstate", "severity"}


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
