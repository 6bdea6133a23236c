"""Where a Prometheus on this machine finds the services: a file that it watches."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sendonce_cli.stack.services import ServicePlan

TARGETS: Final = (
    "prometheus-targets.json"  # in the data directory; deploy/prometheus/prometheus.yml
)


@contextmanager
def scraped(plans: Mapping[str, ServicePlan], *, directory: Path, together: bool) -> Iterator[None]:
    """Name every service's health address while the block runs; what has ended is no target."""
    told = _one(plans) if together else {name: plan.health_url for name, plan in plans.items()}
    groups = [
        {"targets": [url.removeprefix("http://")], "labels": {"service": name}}
        for name, url in told.items()
    ]
    path = directory / TARGETS
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(groups, indent=2), "utf-8")
    fresh.replace(path)  # a Prometheus that looks meanwhile sees the whole of it
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _one(plans: Mapping[str, ServicePlan]) -> dict[str, str]:
    """In one process each address shows the same numbers, those of all services."""
    first = next(iter(plans.values()))
    return {"sendonce": first.health_url}
