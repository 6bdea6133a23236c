"""Writes the rules of Prometheus as the object its operator reads in a cluster; run by `make rules`."""

from typing import Any, Final

import yaml

from observability.shipped import PROMETHEUS, ROOT

OBJECT: Final = ROOT / "deploy" / "kubernetes" / "production" / "rules.yaml"
HEAD: Final = "# Made of deploy/prometheus/rules by `make rules`; change them there.\n"


def groups() -> list[dict[str, Any]]:
    """Return the groups of every file of rules, in the files' order."""
    return [
        group
        for path in sorted((PROMETHEUS / "rules").glob("*.yml"))
        for group in yaml.safe_load(path.read_text("utf-8"))["groups"]
    ]


def written() -> str:
    """Return the object as it is committed."""
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "sendonce"},
        "spec": {"groups": groups()},
    }
    return HEAD + yaml.safe_dump(rule, sort_keys=False, width=120, allow_unicode=True)


if __name__ == "__main__":
    OBJECT.write_text(written(), "utf-8")
