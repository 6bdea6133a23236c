"""What is shipped for Prometheus and Grafana, and the runbook, read as a person finds them."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
PROMETHEUS: Final = ROOT / "deploy" / "prometheus"
GRAFANA: Final = ROOT / "deploy" / "grafana"
DASHBOARD: Final = GRAFANA / "dashboards" / "sendonce.json"
RUNBOOK: Final = "docs/runbook.md"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert rule, and the file of its theme."""

    theme: str
    rule: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.rule["alert"])

    @property
    def section(self) -> str:
        """The anchor of its section in the runbook."""
        page, _, anchor = self.rule["annotations"]["runbook_url"].partition("#")
        assert page == RUNBOOK
        return str(anchor)


def alerts() -> list[Alert]:
    """Return every alert rule that is shipped."""
    return [
        Alert(path.stem, rule)
        for path in sorted((PROMETHEUS / "rules").glob("*.yml"))
        for group in yaml.safe_load(path.read_text("utf-8"))["groups"]
        for rule in group["rules"]
    ]


def expectations() -> dict[str, list[bool]]:
    """Say for every alert that promtool is asked about whether it is to fire, each time it is asked."""
    found: dict[str, list[bool]] = {}
    for path in sorted((PROMETHEUS / "tests").glob("*.yml")):
        document = yaml.safe_load(path.read_text("utf-8"))
        assert document["rule_files"] == [f"../rules/{path.name}"]
        for case in document["tests"]:
            for asked in case["alert_rule_test"]:
                found.setdefault(asked["alertname"], []).append(bool(asked.get("exp_alerts")))
    return found


def dashboard() -> dict[str, Any]:
    """Return the dashboard as Grafana reads it."""
    read: dict[str, Any] = json.loads(DASHBOARD.read_text("utf-8"))
    return read


def panels() -> list[dict[str, Any]]:
    """Return its panels, without the rows' headings."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def dashboard_queries() -> list[str]:
    """Return every query of the dashboard as Prometheus would hear it."""
    shown = [target["expr"] for panel in panels() for target in panel["targets"]]
    marked = [each["expr"] for each in dashboard()["annotations"]["list"]]
    return [query.replace("$__rate_interval", "5m") for query in shown + marked]


def sections() -> dict[str, str]:
    """Return the runbook's sections by the anchor a browser jumps to."""
    text = (ROOT / RUNBOOK).read_text("utf-8")
    _, *found = re.split(r"^#{2,3} ", text, flags=re.MULTILINE)
    return {anchor(section.partition("\n")[0]): section for section in found}


def anchor(heading: str) -> str:
    """Return the anchor that is made of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
