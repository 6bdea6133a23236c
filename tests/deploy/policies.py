"""What every manifest must say, each rule by its own name: a rule returns what breaks it."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from deploy.doors import is_reached_by_whom_it_serves, shows_the_world_the_gateway_alone
from deploy.rendering import Document, app_of, name_of, pod_of, workloads

Rule = Callable[[list[Document]], Iterator[str]]
SECRETS: Final = re.compile(r"TOKEN|KEY|PASSWORD|DATABASE_URL|HMAC|CREDS")
PINNED: Final = re.compile(r".+:(?!latest$)[A-Za-z0-9_][A-Za-z0-9._-]*(@sha256:[0-9a-f]{64})?$")
SERVICES: Final = ("callback-gateway", "job-store", "submitter", "deliverer", "reconciler")
PRIVATE: Final = frozenset(
    (
        "10.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
    )
)
PROBES: Final = ("startupProbe", "readinessProbe", "livenessProbe")
LEAST: Final = 2  # of every service
LONGEST_STOP: Final = 40  # seconds; submitter.app.STOP_GRACE


def _containers(found: list[Document]) -> Iterator[tuple[str, dict[str, Any]]]:
    for workload in workloads(found):
        pod = pod_of(workload)
        for one in (*pod.get("initContainers", ()), *pod["containers"]):
            yield f"{name_of(workload)}/{one['name']}", one


def is_limited(found: list[Document]) -> Iterator[str]:
    """Every container asks for and is bounded in CPU and memory."""
    for name, one in _containers(found):
        for kind in ("requests", "limits"):
            for what in ("cpu", "memory"):
                if what not in one.get("resources", {}).get(kind, {}):
                    yield f"{name}: no {kind}.{what}"


def is_nobody(found: list[Document]) -> Iterator[str]:
    """No process is root, and none can become it."""
    for name, one in _containers(found):
        context = one.get("securityContext", {})
        if context.get("runAsNonRoot") is not True:
            yield f"{name}: may be root"
        if context.get("allowPrivilegeEscalation") is not False:
            yield f"{name}: may become root"
        if context.get("capabilities", {}).get("drop") != ["ALL"]:
            yield f"{name}: keeps capabilities"
    for workload in workloads(found):
        context = pod_of(workload).get("securityContext", {})
        if not context.get("runAsUser"):
            yield f"{name_of(workload)}: no user of its own"
        if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{name_of(workload)}: no seccomp profile"


def is_read_only(found: list[Document]) -> Iterator[str]:
    """No program can change its own image, or its secrets."""
    for name, one in _containers(found):
        if one.get("securityContext", {}).get("readOnlyRootFilesystem") is not True:
            yield f"{name}: its root may be written"
        for mount in one.get("volumeMounts", ()):
            if mount["name"] in ("secrets", "further", "config", "roles") and not mount.get(
                "readOnly"
            ):
                yield f"{name}: {mount['name']} may be written"


def has_no_secret_in_its_environment(found: list[Document]) -> Iterator[str]:
    """Secrets are files: what an environment holds is shown by every `describe`."""
    for name, one in _containers(found):
        for variable in one.get("env", ()):
            if SECRETS.search(variable["name"]) and not variable.get("value", "").startswith(
                "/run/"
            ):
                yield f"{name}: {variable['name']} is no file"
    for one in found:
        if one["kind"] == "ConfigMap":
            for key in one.get("data", {}):
                if SECRETS.search(key):
                    yield f"{name_of(one)}: {key} is no secret"


def keeps_secrets_apart(found: list[Document]) -> Iterator[str]:
    """A pod mounts the Secret of its own name, and what was brought for it beside that."""
    for workload in workloads(found):
        for volume in pod_of(workload).get("volumes", ()):
            for one in (volume, *volume.get("projected", {}).get("sources", ())):
                secret = one.get("secret", {})
                name = secret.get("secretName") or secret.get("name")
                if name and name not in {app_of(workload), f"{app_of(workload)}-further"}:
                    yield f"{name_of(workload)}: reads the secrets of {name}"


def declares_its_ports(found: list[Document]) -> Iterator[str]:
    """Every probe and every Service goes to a port that a container declares by name."""
    declared = set(_declared(found))
    asked = [*_probed_ports(found), *_served_ports(found)]
    yield from (
        f"{name}: {port} is not declared"
        for name, app, port in asked
        if (app, port) not in declared
    )


def _declared(found: list[Document]) -> Iterator[tuple[str, str]]:
    for workload in workloads(found):
        for one in pod_of(workload)["containers"]:
            yield from ((app_of(workload), port["name"]) for port in one.get("ports", ()))


def _probed_ports(found: list[Document]) -> Iterator[tuple[str, str, str]]:
    for workload in workloads(found):
        for probe in PROBES:
            asked = pod_of(workload)["containers"][0].get(probe, {})
            if to := asked.get("httpGet") or asked.get("tcpSocket"):
                yield f"{name_of(workload)}: {probe}", app_of(workload), to["port"]


def _served_ports(found: list[Document]) -> Iterator[tuple[str, str, str]]:
    for one in found:
        if one["kind"] == "Service":
            app = one["metadata"]["labels"]["app.kubernetes.io/name"]
            yield from ((name_of(one), app, port["targetPort"]) for port in one["spec"]["ports"])


def is_pinned(found: list[Document]) -> Iterator[str]:
    """No image is whatever is newest."""
    for name, one in _containers(found):
        if not PINNED.fullmatch(one["image"]):
            yield f"{name}: {one['image']} is not pinned"


def is_probed(found: list[Document]) -> Iterator[str]:
    """Whatever serves says when it is alive and when it is ready."""
    for workload in workloads(found):
        missing = set(PROBES) - pod_of(workload)["containers"][0].keys()
        if missing and workload["kind"] != "Job":
            yield f"{name_of(workload)}: no {', '.join(sorted(missing))}"


def asks_liveness_of_nobody_else(found: list[Document]) -> Iterator[str]:
    """A service's liveness never depends on NATS or Postgres, its readiness does."""
    for workload in workloads(found):
        if workload["kind"] == "Deployment":
            one = pod_of(workload)["containers"][0]
            for probe, path in (("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
                if one.get(probe, {}).get("httpGet", {}).get("path") != path:
                    yield f"{name_of(workload)}: {probe} is not {path}"


def knows_no_cluster(found: list[Document]) -> Iterator[str]:
    """No pod holds a token of the cluster or the addresses of its Services in its environment."""
    for workload in workloads(found):
        pod = pod_of(workload)
        if pod.get("automountServiceAccountToken") is not False:
            yield f"{name_of(workload)}: holds a token of the cluster"
        if pod.get("enableServiceLinks") is not False:
            yield f"{name_of(workload)}: gets SENDONCE_…_PORT of a Service named like us"


def ends_in_peace(found: list[Document]) -> Iterator[str]:
    """Whatever is stopped gets longer than its longest handling; a service leaves its Service first."""
    for workload in workloads(found):
        if workload["kind"] == "Job":
            continue
        pod = pod_of(workload)
        if pod.get("terminationGracePeriodSeconds", 0) <= LONGEST_STOP:
            yield f"{name_of(workload)}: is killed while it ends"
        if workload["kind"] == "Deployment" and "preStop" not in pod["containers"][0].get(
            "lifecycle", {}
        ):
            yield f"{name_of(workload)}: ends before anybody has heard of it"


def survives_a_drain(found: list[Document]) -> Iterator[str]:
    """Two of every service, spread, and one always left."""
    kept = {
        one["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"]
        for one in found
        if one["kind"] == "PodDisruptionBudget" and one["spec"].get("minAvailable") == 1
    }
    for workload in workloads(found):
        if workload["kind"] == "Deployment":
            if workload["spec"].get("replicas", 1) < LEAST:
                yield f"{name_of(workload)}: a single one"
            if not pod_of(workload).get("topologySpreadConstraints"):
                yield f"{name_of(workload)}: all may stand on one node"
            if workload["metadata"]["name"] not in kept:
                yield f"{name_of(workload)}: a drain may take all"


def is_closed(found: list[Document]) -> Iterator[str]:
    """Nobody reaches anybody unless a policy says whom, and where."""
    policies = [one for one in found if one["kind"] == "NetworkPolicy"]
    shut = [one["spec"] for one in policies if one["spec"]["podSelector"] == {}]
    if not any(
        set(spec["policyTypes"]) == {"Ingress", "Egress"}
        and not {"ingress", "egress"} & spec.keys()
        for spec in shut
    ):
        yield "no policy shuts everything"
    for one in policies:
        rules = [*one["spec"].get("ingress", ()), *one["spec"].get("egress", ())]
        if not all((rule.get("from") or rule.get("to")) and rule.get("ports") for rule in rules):
            yield f"{name_of(one)}: opens to everybody, or everywhere"


def keeps_out_of_private_networks(found: list[Document]) -> Iterator[str]:
    """Whoever fetches from the world cannot be sent to our own addresses."""
    for one in found:
        if one["kind"] == "NetworkPolicy":
            for rule in one["spec"].get("egress", ()):
                for block in (peer["ipBlock"] for peer in rule["to"] if "ipBlock" in peer):
                    if block["cidr"] == "0.0.0.0/0" and not PRIVATE.issubset(
                        block.get("except", ())
                    ):
                        yield f"{name_of(one)}: lets out to private networks"


def is_restricted(found: list[Document]) -> Iterator[str]:
    """The namespace refuses what the rules above forbid."""
    for one in found:
        if one["kind"] == "Namespace":
            level = one["metadata"]["labels"].get("pod-security.kubernetes.io/enforce")
            if level != "restricted":
                yield f"{name_of(one)}: enforces {level}"
            return
    yield "no Namespace"


RULES: Final[tuple[Rule, ...]] = (
    is_limited,
    is_nobody,
    is_read_only,
    has_no_secret_in_its_environment,
    keeps_secrets_apart,
    declares_its_ports,
    is_pinned,
    is_probed,
    asks_liveness_of_nobody_else,
    knows_no_cluster,
    ends_in_peace,
    survives_a_drain,
    is_closed,
    is_reached_by_whom_it_serves,
    shows_the_world_the_gateway_alone,
    keeps_out_of_private_networks,
    is_restricted,
)
