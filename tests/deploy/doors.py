"""Who gets in from outside the namespace, and where: a rule returns what breaks it."""

from collections.abc import Iterator
from itertools import chain, product
from typing import Final

from deploy.rendering import Document, name_of

# Who comes from another namespace, and to which ports: ingress, bots, and whoever watches and looks after us.
DOORS: Final = {
    ("sendonce.dev/ingress", "true"): {8080},
    ("sendonce.dev/bots", "true"): {4222},
    ("sendonce.dev/monitoring", "true"): {8090, 7777},
    ("kubernetes.io/metadata.name", "keda"): {8222},
    ("kubernetes.io/metadata.name", "cnpg-system"): {5432, 8000},
}
PUBLIC: Final = "/callbacks/kie"


def is_reached_by_whom_it_serves(found: list[Document]) -> Iterator[str]:
    """From outside the namespace only named ones come, each to its own ports."""
    for one in found:
        if one["kind"] == "NetworkPolicy":
            for rule in one["spec"].get("ingress", ()):
                ports = {port["port"] for port in rule["ports"]}
                for peer in rule["from"]:
                    if not ports <= _opened_to(peer, ports):
                        yield f"{name_of(one)}: opens {sorted(ports)} to {peer}"


def _opened_to(peer: Document, asked: set[int]) -> set[int]:
    if peer.keys() == {"podSelector"}:
        return asked  # one of our own
    labels = peer.get("namespaceSelector", {}).get("matchLabels", {})
    return set().union(*(DOORS.get(label, set()) for label in labels.items()))


def shows_the_world_the_gateway_alone(found: list[Document]) -> Iterator[str]:
    """The public address leads to callbacks and nothing else; no Service has an address of its own."""
    for one in found:
        if one["kind"] == "Service" and one["spec"].get("type", "ClusterIP") != "ClusterIP":
            yield f"{name_of(one)}: is a {one['spec']['type']}"
        for path, service in _routes(one):
            if service != "callback-gateway" or not path.startswith(PUBLIC):
                yield f"{name_of(one)}: leads {path} to {service}"


def _routes(one: Document) -> Iterator[tuple[str, str]]:
    """Return what an Ingress or an HTTPRoute leads where: paths and names of Services."""
    match one["kind"]:
        case "Ingress":
            for path in chain.from_iterable(rule["http"]["paths"] for rule in one["spec"]["rules"]):
                yield path.get("path", "/"), path["backend"]["service"]["name"]
            if "defaultBackend" in one["spec"]:
                yield "/", one["spec"]["defaultBackend"]["service"]["name"]
        case "HTTPRoute":
            for rule in one["spec"]["rules"]:
                paths = (match.get("path", {}) for match in rule.get("matches", ({},)))
                for path, backend in product(paths, rule["backendRefs"]):
                    yield path.get("value", "/"), backend["name"]
