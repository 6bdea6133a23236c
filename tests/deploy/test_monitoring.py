"""A cluster is watched by the rules and the dashboard that are shipped, and by nothing that differs from them."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
import yaml

from deploy.policies import SERVICES
from deploy.rendering import KUBERNETES, Document, documents, kubectl, name_of, pod_of, workloads
from observability.shipped import DASHBOARD, PROMETHEUS, alerts
from observability.write_rules import OBJECT, groups, written

rendered = pytest.mark.skipif(kubectl() is None, reason="kubectl, which renders, is not installed")
CONTAINERS: Final = ("container", "reloader", "promExporter")  # of the chart's pod


def test_the_rules_of_a_cluster_are_written_from_those_of_prometheus() -> None:
    assert written() == OBJECT.read_text("utf-8"), "run `make rules`"


@rendered
def test_a_cluster_has_every_alert_and_no_other() -> None:
    rule = _of("PrometheusRule sendonce")

    assert rule["spec"]["groups"] == groups()
    assert [each["alert"] for group in groups() for each in group["rules"]] == [
        alert.name for alert in alerts()
    ]
    assert len(groups()) == len(list((PROMETHEUS / "rules").glob("*.yml")))


@rendered
def test_grafana_of_a_cluster_is_given_the_dashboard() -> None:
    given = _of("ConfigMap sendonce-dashboard")

    assert given["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert given["data"] == {DASHBOARD.name: DASHBOARD.read_text("utf-8")}


def _of(name: str) -> Document:
    return next(one for one in documents("production") if name_of(one) == name)


def unwatched(found: list[Document]) -> Iterator[str]:
    """What the rules would not see: a service that no monitor asks, or one without the names they ask for."""
    (monitor,) = (one["spec"] for one in found if one["kind"] == "PodMonitor")
    (chosen,) = monitor["selector"]["matchExpressions"]
    (endpoint,) = monitor["podMetricsEndpoints"]
    if set(chosen["values"]) != set(SERVICES) or chosen["operator"] != "In":
        yield f"chosen are {chosen['values']}"
    for workload in workloads(found):
        labels = workload["spec"]["template"]["metadata"]["labels"]
        name = labels[chosen["key"]]
        if name in chosen["values"]:
            (container,) = pod_of(workload)["containers"]
            if endpoint["port"] not in {port["name"] for port in container["ports"]}:
                yield f"{name}: has no port {endpoint['port']}"
            if labels.get(monitor.get("jobLabel")) != "sendonce":
                yield f"{name}: is not of the job sendonce"
    source = "__meta_kubernetes_pod_label_app_kubernetes_io_name"
    if {"sourceLabels": [source], "targetLabel": "service"} not in endpoint.get("relabelings", ()):
        yield "nobody has the label service"
    if endpoint["path"] != "/metrics":
        yield f"asked is {endpoint['path']}"


@rendered
def test_every_service_is_watched() -> None:
    assert list(unwatched(documents("production"))) == []


Spoil = Callable[[dict[str, Any]], object]


@rendered
@pytest.mark.parametrize(
    "spoil",
    [
        lambda it: it["selector"]["matchExpressions"][0]["values"].remove("deliverer"),
        lambda it: it["podMetricsEndpoints"][0].update(port="metrics"),
        lambda it: it["podMetricsEndpoints"][0].update(path="/"),
        lambda it: it["podMetricsEndpoints"][0].pop("relabelings"),
        lambda it: it.pop("jobLabel"),
    ],
)
def test_a_monitor_that_sees_too_little_is_noticed(spoil: Spoil) -> None:
    found = documents("production")

    spoil(next(one["spec"] for one in found if one["kind"] == "PodMonitor"))

    assert list(unwatched(found)) != []


def refused(values: Document) -> Iterator[str]:
    """What the namespace would refuse of the chart's NATS, and what would let everybody in."""
    pod = values["podTemplate"]["merge"]["spec"]
    of_pod = pod["securityContext"]
    if not of_pod.get("runAsUser") or of_pod.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "the pod has no user or no seccomp profile"
    if pod.get("automountServiceAccountToken") is not False:
        yield "the pod holds a token of the cluster"
    for name in CONTAINERS:
        own = values[name].get("merge", {})
        context = own.get("securityContext", {})
        if context.get("capabilities") != {"drop": ["ALL"]} or not context.get("runAsNonRoot"):
            yield f"{name}: may be root"
        if context.get("allowPrivilegeEscalation") is not False:
            yield f"{name}: may become root"
        if not own.get("resources", {}).keys() >= {"requests", "limits"}:
            yield f"{name}: has no bounds"
    if not str(values["config"]["merge"].get("$include", "")).endswith("/auth.conf"):
        yield "everybody may do everything"


def _values() -> Document:
    read: Document = yaml.safe_load((KUBERNETES / "production/nats-values.yaml").read_text("utf-8"))
    return read


def test_nats_of_the_chart_is_let_in_and_lets_in_only_its_users() -> None:
    assert list(refused(_values())) == []


@pytest.mark.parametrize(
    "spoil",
    [
        *(lambda it, name=name: it[name]["merge"].pop("securityContext") for name in CONTAINERS),
        *(lambda it, name=name: it[name]["merge"].pop("resources") for name in CONTAINERS),
        lambda it: it["podTemplate"]["merge"]["spec"]["securityContext"].pop("seccompProfile"),
        lambda it: it["podTemplate"]["merge"]["spec"].pop("automountServiceAccountToken"),
        lambda it: it["config"]["merge"].pop("$include"),
    ],
)
def test_a_chart_that_would_be_refused_is_noticed(spoil: Spoil) -> None:
    values = _values()

    spoil(values)

    assert list(refused(values)) != []
