"""Every overlay renders, is what Kubernetes takes, and keeps every rule; and every rule bites."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import pytest

from deploy import doors, policies
from deploy.rendering import (
    DEPLOY,
    OVERLAYS,
    Document,
    app_of,
    documents,
    kubectl,
    name_of,
    pod_of,
    workloads,
)
from sendonce_cli.access.deployment import Deployment, of_sandbox

READ_WRITE: Final = "-rw"  # CloudNativePG's name for the service of whoever may be written to
pytestmark = pytest.mark.skipif(
    kubectl() is None, reason="kubectl, which renders, is not installed"
)

VERSION: Final = "1.34"
# Kinds of operators that an overlay needs; their own schemas check them where they are installed.
FOREIGN: Final = frozenset({"Cluster", "HTTPRoute", "ScaledObject", "PodMonitor", "PrometheusRule"})


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubernetes_takes_it(overlay: str) -> None:
    checked = 0
    for one in documents(overlay):
        if one["kind"] not in FOREIGN:
            kubernetes_validate.validate(one, VERSION, strict=True)
            checked += 1
    assert checked >= 25


@pytest.mark.parametrize("rule", policies.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_rule_is_kept(overlay: str, rule: policies.Rule) -> None:
    assert list(rule(documents(overlay))) == []


def _first(found: list[Document], kind: str) -> Document:
    return next(one for one in found if one["kind"] == kind)


def _container(found: list[Document], kind: str = "Deployment") -> dict[str, Any]:
    container: dict[str, Any] = pod_of(_first(found, kind))["containers"][0]
    return container


def _policy(found: list[Document], name: str) -> dict[str, Any]:
    spec: dict[str, Any] = next(
        one["spec"] for one in found if name_of(one) == f"NetworkPolicy {name}"
    )
    return spec


Spoil = Callable[[list[Document]], object]

SPOILT: Final[tuple[tuple[policies.Rule, Spoil], ...]] = (
    *(
        (
            policies.is_limited,
            lambda it, kind=kind, what=what: _container(it)["resources"][kind].pop(what),
        )
        for kind in ("requests", "limits")
        for what in ("cpu", "memory")
    ),
    *(
        (
            policies.is_nobody,
            lambda it, line=line, kind=kind: _container(it, kind)["securityContext"].pop(line),
        )
        for line in ("runAsNonRoot", "allowPrivilegeEscalation", "capabilities")
        for kind in ("Deployment", "StatefulSet", "Job")
    ),
    *(
        (
            policies.is_nobody,
            lambda it, line=line: pod_of(_first(it, "Deployment"))["securityContext"].pop(line),
        )
        for line in ("runAsUser", "seccompProfile")
    ),
    (
        policies.is_read_only,
        lambda it: _container(it)["securityContext"].pop("readOnlyRootFilesystem"),
    ),
    (
        policies.is_read_only,
        lambda it: [one.pop("readOnly", None) for one in _container(it)["volumeMounts"]],
    ),
    (
        policies.has_no_secret_in_its_environment,
        lambda it: _container(it)["env"].append({"name": "SENDONCE_BOT_TOKEN", "value": "1:x"}),
    ),
    (
        policies.has_no_secret_in_its_environment,
        lambda it: _first(it, "ConfigMap")["data"].update(SENDONCE_KIE_API_KEY="x"),
    ),
    *(
        (
            policies.keeps_secrets_apart,
            lambda it, kind=kind: pod_of(_first(it, kind))["volumes"].append(
                {"secret": {"secretName": "bots"}}
            ),
        )
        for kind in ("Deployment", "StatefulSet", "Job")
    ),
    (
        policies.keeps_secrets_apart,
        lambda it: pod_of(_first(it, "StatefulSet"))["volumes"].append(
            {"projected": {"sources": [{"secret": {"name": "job-store"}}]}}
        ),
    ),
    (policies.declares_its_ports, lambda it: _container(it)["ports"].clear()),
    (policies.declares_its_ports, lambda it: _container(it, "StatefulSet")["ports"].clear()),
    (policies.is_pinned, lambda it: _container(it).update(image="sendonce/deliverer")),
    (policies.is_pinned, lambda it: _container(it).update(image="sendonce/deliverer:latest")),
    *(
        (policies.is_probed, lambda it, probe=probe: _container(it).pop(probe))
        for probe in ("startupProbe", "readinessProbe", "livenessProbe")
    ),
    (
        policies.asks_liveness_of_nobody_else,
        lambda it: _container(it)["livenessProbe"]["httpGet"].update(path="/readyz"),
    ),
    *(
        (
            policies.knows_no_cluster,
            lambda it, line=line, kind=kind: pod_of(_first(it, kind)).pop(line),
        )
        for line in ("automountServiceAccountToken", "enableServiceLinks")
        for kind in ("Deployment", "StatefulSet", "Job")
    ),
    (
        policies.ends_in_peace,
        lambda it: pod_of(_first(it, "Deployment")).pop("terminationGracePeriodSeconds"),
    ),
    (policies.ends_in_peace, lambda it: _container(it).pop("lifecycle")),
    (policies.survives_a_drain, lambda it: _first(it, "Deployment")["spec"].update(replicas=1)),
    (
        policies.survives_a_drain,
        lambda it: pod_of(_first(it, "Deployment")).pop("topologySpreadConstraints"),
    ),
    (policies.survives_a_drain, lambda it: it.remove(_first(it, "PodDisruptionBudget"))),
    (
        policies.is_closed,
        lambda it: _policy(it, "nobody").update(podSelector={"matchLabels": {"a": "b"}}),
    ),
    (policies.is_closed, lambda it: _policy(it, "at-the-gateway")["ingress"][0].pop("from")),
    (policies.is_closed, lambda it: _policy(it, "at-nats")["ingress"][0].pop("ports")),
    (policies.is_closed, lambda it: _policy(it, "to-postgres")["egress"][0].pop("to")),
    (
        doors.is_reached_by_whom_it_serves,
        lambda it: _policy(it, "at-the-gateway")["ingress"][0]["from"][0].update(
            namespaceSelector={}
        ),
    ),
    (
        doors.is_reached_by_whom_it_serves,
        lambda it: _policy(it, "at-postgres")["ingress"][0]["from"].append(
            {"ipBlock": {"cidr": "0.0.0.0/0"}}
        ),
    ),
    (
        doors.is_reached_by_whom_it_serves,
        lambda it: _policy(it, "at-the-gateway")["ingress"][0]["ports"].append({"port": 8090}),
    ),
    (
        doors.shows_the_world_the_gateway_alone,
        lambda it: _first(it, "Service")["spec"].update(type="NodePort"),
    ),
    *(
        (
            doors.shows_the_world_the_gateway_alone,
            lambda it, lines=lines: _first(it, "Ingress")["spec"]["rules"][0]["http"]["paths"][
                0
            ].update(lines),
        )
        for lines in ({"path": "/"}, {"backend": {"service": {"name": "job-store"}}})
    ),
    (
        policies.keeps_out_of_private_networks,
        lambda it: _policy(it, "to-the-world")["egress"][0]["to"][0]["ipBlock"]["except"].remove(
            "10.0.0.0/8"
        ),
    ),
    (policies.is_restricted, lambda it: _first(it, "Namespace")["metadata"]["labels"].clear()),
    (policies.is_restricted, lambda it: it.remove(_first(it, "Namespace"))),
)


@pytest.mark.parametrize("rule, spoil", SPOILT)
def test_a_rule_bites_when_its_line_is_gone(rule: policies.Rule, spoil: Spoil) -> None:
    found = documents("small")

    spoil(found)

    assert list(rule(found)) != []


def test_every_rule_has_a_line_that_is_taken_away() -> None:
    assert {rule for rule, _ in SPOILT} == set(policies.RULES)


def test_one_machine_and_a_small_cluster_have_the_same_nats() -> None:
    compose, small = (
        {
            line
            for line in (DEPLOY / place / "nats.conf").read_text().splitlines()
            if line[:1] != "#"
        }
        for place in ("compose", "kubernetes/small")
    )

    # Only the health check: the kubelet's comes from outside the container.
    assert small - compose == {"http: 0.0.0.0:8222"}
    assert compose - small == {"http: 127.0.0.1:8222"}
    assert "  sync_interval: always" in compose


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_all_five_services_run_and_the_migration(overlay: str) -> None:
    assert {*policies.SERVICES, "migrate"} <= set(map(app_of, workloads(documents(overlay))))


def test_production_postgres_is_given_the_owner_and_the_roles_that_are_made(tmp_path: Path) -> None:
    spec = _first(documents("production"), "Cluster")["spec"]["bootstrap"]["initdb"]
    (roles,) = spec["postInitApplicationSQLRefs"]["secretRefs"]
    host, database = f"postgres{READ_WRITE}", spec["database"]
    made = Deployment(directory=tmp_path, database_host=host, database=database, bots=())
    made.write(of_sandbox(tmp_path))

    owner = tmp_path / spec["secret"]["name"]
    assert (owner / "username").read_text() == spec["owner"]
    word = (owner / "password").read_text()
    assert f"{spec['owner']}:{word}@{host}/{database}" in (owner / "database_url").read_text()
    assert (
        f"ALTER ROLE {spec['owner']} LOGIN" in (tmp_path / roles["name"] / roles["key"]).read_text()
    )
