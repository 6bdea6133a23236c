"""Writes the dashboard that Grafana reads from the panels that a person writes; run by `make dashboard`."""

import json
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

import yaml

from observability.shipped import DASHBOARD, GRAFANA

SOURCES: Final = ("jobs.yml", "machinery.yml")
WIDE: Final = 24
SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
QUANTILES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99}

Json = dict[str, Any]


def written() -> str:
    """Return the dashboard as it is committed."""
    return json.dumps(_dashboard(_rows()), indent=2, ensure_ascii=False) + "\n"


def _rows() -> list[Json]:
    read = (yaml.safe_load((GRAFANA / "panels" / name).read_text("utf-8")) for name in SOURCES)
    return list(chain.from_iterable(each["rows"] for each in read))


def _dashboard(rows: list[Json]) -> Json:
    return {
        "uid": "sendonce",
        "title": "sendonce",
        "description": "Do jobs get from request to chat? Begin at the top; docs/runbook.md says what to type.",
        "tags": ["sendonce"],
        "schemaVersion": 39,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "10s",
        "timezone": "browser",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [_DATASOURCE, _BOT]},
        "annotations": {"list": [_CRITICAL]},
        "panels": list(_laid_out(rows)),
    }


_DATASOURCE: Final[Json] = {
    "name": "datasource",
    "label": "Prometheus",
    "type": "datasource",
    "query": "prometheus",
    "refresh": 1,
}
_BOT: Final[Json] = {
    "name": "bot",
    "label": "Bot",
    "type": "query",
    "datasource": SOURCE,
    "query": {"query": "label_values(sendonce_job_events_total, bot)", "refId": "bot"},
    "refresh": 2,
    "sort": 1,
    "multi": True,
    "includeAll": True,
    "allValue": ".*",
    "current": {"text": "All", "value": "$__all"},
}
_CRITICAL: Final[Json] = {
    "name": "Critical alerts",
    "datasource": SOURCE,
    "enable": True,
    "expr": 'ALERTS{alertstate="firing",severity="critical"}',
    "titleFormat": "{{alertname}}",
    "iconColor": "red",
    "step": "30s",
}


def _laid_out(rows: list[Json]) -> Iterator[Json]:
    """Set panels side by side while there is room, row under row."""
    number, y = 0, 0
    for row in rows:
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": row["title"],
            "collapsed": False,
            "gridPos": {"x": 0, "y": y, "w": WIDE, "h": 1},
            "panels": [],
        }
        x, y, tallest = 0, y + 1, 0
        for panel in row["panels"]:
            width, height = panel.get("width", 8), panel.get("height", 7)
            if x + width > WIDE:
                x, y, tallest = 0, y + tallest, 0
            number += 1
            yield _panel(number, panel, {"x": x, "y": y, "w": width, "h": height})
            x, tallest = x + width, max(tallest, height)
        y += tallest


def _panel(number: int, panel: Json, place: Json) -> Json:
    kind = panel.get("type", "timeseries")
    return {
        "id": number,
        "type": kind,
        "title": panel["title"],
        "description": panel["description"],
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": _FIELDS[kind] | _fields(panel), "overrides": []},
        "options": _OPTIONS[kind],
        **({"transformations": _AS_ROWS} if kind == "table" else {}),
        "targets": [
            _target(place, legend, query, kind)
            for place, (legend, query) in enumerate(_queries(panel).items())
        ],
    }


def _fields(panel: Json) -> Json:
    steps: list[Json] = [{"color": "green", "value": None}]
    if "red" in panel:
        steps.append({"color": "red", "value": panel["red"]})
    return {"unit": panel["unit"], "thresholds": {"mode": "absolute", "steps": steps}}


def _queries(panel: Json) -> dict[str, str]:
    if "quantiles" not in panel:
        queries: dict[str, str] = panel["queries"]
        return queries
    buckets = f"sum by (le) (rate({panel['quantiles']}[$__rate_interval]))"
    return {name: f"histogram_quantile({of}, {buckets})" for name, of in QUANTILES.items()}


def _target(place: int, legend: str, query: str, kind: str) -> Json:
    is_instant = kind != "timeseries"
    return {
        "refId": chr(ord("A") + place),
        "expr": query,
        "legendFormat": legend,
        "instant": is_instant,
        "range": not is_instant,
        "format": "table" if kind == "table" else "time_series",
    }


_FIELDS: Final[dict[str, Json]] = {
    "stat": {"color": {"mode": "thresholds"}},
    "table": {},
    "timeseries": {
        "color": {"mode": "palette-classic"},
        "min": 0,
        "custom": {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "showPoints": "never"},
    },
}
_OPTIONS: Final[dict[str, Json]] = {
    "stat": {
        "colorMode": "background",
        "graphMode": "none",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    },
    "table": {"showHeader": True},
    "timeseries": {
        "legend": {
            "showLegend": True,
            "displayMode": "table",
            "placement": "right",
            "calcs": ["lastNotNull", "max"],
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
}
# One row a series: its labels, and neither the moment nor the 1 that says that it is there.
_AS_ROWS: Final[list[Json]] = [
    {"id": "merge", "options": {}},
    {
        "id": "organize",
        "options": {
            "excludeByName": dict.fromkeys(("Time", "Value", "Value #A", "Value #B"), True)
        },
    },
]


if __name__ == "__main__":
    DASHBOARD.parent.mkdir(exist_ok=True)
    DASHBOARD.write_text(written(), "utf-8")
