"""One prometheus registry and get-or-create helpers; labels carry names of parts, never ids."""

from collections.abc import Iterable, Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

NAMESPACE = "sendonce"
CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
# From a local round trip (1 ms) to the slowest outside call we wait for (30 s).
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

# A moment of birth for each series doubles what is scraped, and nobody asks for it.
disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry(auto_describe=True)
# Memory, CPU, open files and the start of this process.
ProcessCollector(registry=REGISTRY)
_known: dict[str, Counter | Gauge | Histogram] = {}


def counter(
    name: str, what: str, labels: Sequence[str] = (), *, known: Iterable[str] = ()
) -> Counter:
    """Return the counter of this name, made on first use (several services may share a process).

    `known` names the values of its one label that are shown from the start: whoever watches for a
    rise sees none in a series that begins with its first event.
    """
    found = _known.get(name)
    if found is None:
        found = Counter(name, what, labels, namespace=NAMESPACE, registry=REGISTRY)
        _known[name] = found
    if not isinstance(found, Counter):
        raise TypeError(f"metric {name} is not a counter")
    for value in known:
        found.labels(value)
    return found


def gauge(name: str, what: str, labels: Sequence[str] = ()) -> Gauge:
    """Return the gauge of this name, made on first use."""
    found = _known.get(name)
    if found is None:
        found = Gauge(name, what, labels, namespace=NAMESPACE, registry=REGISTRY)
        _known[name] = found
    if not isinstance(found, Gauge):
        raise TypeError(f"metric {name} is not a gauge")
    return found


def histogram(
    name: str,
    what: str,
    labels: Sequence[str] = (),
    buckets: Sequence[float] = SECONDS,
) -> Histogram:
    """Return the histogram of this name, made on first use."""
    found = _known.get(name)
    if found is None:
        found = Histogram(
            name, what, labels, namespace=NAMESPACE, registry=REGISTRY, buckets=buckets
        )
        _known[name] = found
    if not isinstance(found, Histogram):
        raise TypeError(f"metric {name} is not a histogram")
    return found


def exposition() -> bytes:
    """Render everything counted so far in the text format prometheus reads."""
    return generate_latest(REGISTRY)
