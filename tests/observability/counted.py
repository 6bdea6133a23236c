"""What our code counts: asked of the real registry, in a process that has imported every module and done no more."""

import importlib
import json
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from deliverer.telegram.aiogram_import import load_aiogram
from testkit.processes import environment

TESTS: Final = Path(__file__).parents[1]
PACKAGES: Final = (
    "chassis",
    "callback_gateway",
    "deliverer",
    "job_store",
    "reconciler",
    "submitter",
)
SUFFIXES: Final = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_sum", "_count"),
}


@dataclass(frozen=True, slots=True)
class Counted:
    """Labels by the name a query asks for, and what is known of the values of labels."""

    metrics: dict[str, frozenset[str]]
    values: dict[str, frozenset[str]]

    def families(self) -> set[str]:
        """The metrics themselves: of a histogram the one name its buckets begin with."""
        return {family_of(name) for name in self.metrics}


def family_of(name: str) -> str:
    """Return the metric that a name in a query belongs to."""
    for suffix in SUFFIXES["histogram"]:
        name = name.removesuffix(suffix)
    return name


@cache
def counted() -> Counted:
    """Import everything in a process of its own, and return what its registry holds."""
    asked = subprocess.run(
        [sys.executable, "-m", "observability.counted"],
        env=environment({"PYTHONPATH": str(TESTS)}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    found = json.loads(asked.stdout)
    return Counted(
        {name: frozenset(labels) for name, labels in found["metrics"].items()},
        {label: frozenset(values) for label, values in found["values"].items()},
    )


def _import_all() -> None:
    load_aiogram(fast=True)  # as the deliverer does
    for package in PACKAGES:
        home = importlib.import_module(package)
        for found in pkgutil.walk_packages(home.__path__, f"{package}."):
            if not found.name.endswith("__main__"):
                importlib.import_module(found.name)


def _metrics() -> Iterator[tuple[str, list[str]]]:
    from chassis import metrics  # noqa: PLC0415 - who asks needs none of this

    for metric in metrics._known.values():
        (family,) = metric.describe()
        for suffix in SUFFIXES[family.type]:
            extra = ["le"] if suffix == "_bucket" else []
            yield family.name + suffix, [*metric._labelnames, *extra]
    for family in metrics.REGISTRY.collect():
        if family.name.startswith("process_"):
            yield from ((sample.name, list(sample.labels)) for sample in family.samples)


def _values() -> dict[str, list[str]]:
    """What the labels can say that rules and dashboard ask for by name."""
    from contracts import events, streams, values  # noqa: PLC0415 - as above
    from contracts.reports import ReportState  # noqa: PLC0415
    from deliverer.domain import answers  # noqa: PLC0415
    from job_store.domain.rows import EffectKind  # noqa: PLC0415
    from job_store.store.counting import LIMITS, Stage  # noqa: PLC0415
    from job_store.store.laws import LAWS  # noqa: PLC0415
    from job_store.store.pacing import bot_key, creates_key  # noqa: PLC0415
    from submitter.kie import CODES, WITHOUT_CODE  # noqa: PLC0415

    http = {str(code) for code in (200, 400, 401, 404, 405, 408, 413, 415, 500, 503)}
    return {
        "event": [*events.JobEventName, *events.OrphanEventName],
        "state": [*values.JobState, *values.PartState, *ReportState],
        "stage": [*Stage],
        "kind": [*EffectKind],
        "law": [*LAWS],
        "limit": [*LIMITS],
        "stream": [stream.name for stream in streams.STREAMS],
        "answer": [answer.__name__.lower() for answer in answers.Answer.__args__],
        "code": [*CODES, *WITHOUT_CODE, *http],
        "key": [bot_key("shop"), creates_key("default")],
        "needs_owner": ["true", "false"],
    }


if __name__ == "__main__":
    _import_all()
    json.dump({"metrics": dict(_metrics()), "values": _values()}, sys.stdout)
