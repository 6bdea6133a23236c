"""What every container on one machine must be, each rule by its own name: a rule returns what breaks it."""

from collections.abc import Callable, Iterator
from typing import Final

from deploy.composing import Stack, lasting, mounts, services, waits_for
from deploy.policies import LONGEST_STOP, PINNED, SECRETS, SERVICES

Rule = Callable[[Stack], Iterator[str]]
MAKER: Final = "secrets"  # the one that makes them, and hands volumes over
OF_MAKER: Final = {"CHOWN", "DAC_OVERRIDE", "FOWNER"}
# Whose secrets a container reads when it has another name.
READS: Final = {"kie": "sandbox"}
DONE, HEALTHY = "service_completed_successfully", "service_healthy"
SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
# Who may be on a network that must stay small.
MEMBERS: Final = {
    "data": {"postgres", "job-store", "migrate"},
    "monitoring": {"prometheus", *SERVICES},
    "watch": {"prometheus", "alertmanager", "grafana"},
    "pages": {"prometheus", "grafana"},
    "alerts": {"alertmanager"},
    "edge": {"callback-gateway", "kie"},
    "world": {"submitter", "deliverer", "reconciler", "kie", "telegram", "operator"},
    "bots": {"nats"},
}
CLOSED: Final = {"bus", "data", "monitoring", "watch"}  # no way out
MASQUERADE: Final = "com.docker.network.bridge.enable_ip_masquerade"


def is_limited(it: Stack) -> Iterator[str]:
    """Every container is bounded in memory, CPU and processes."""
    for name, one in services(it):
        for what in ("mem_limit", "cpus", "pids_limit"):
            if not one.get(what):
                yield f"{name}: no {what}"


def is_nobody(it: Stack) -> Iterator[str]:
    """No process is root; the one that hands volumes over is, and hears and reaches nobody."""
    for name, one in services(it):
        if name == MAKER:
            if one.get("network_mode") != "none" or set(one["cap_add"]) != OF_MAKER:
                yield f"{name}: is root and can do more than hand over"
        elif one.get("user", "0").partition(":")[0] in {"0", "root"}:
            yield f"{name}: is root"
        elif one.get("cap_add"):
            yield f"{name}: keeps {one['cap_add']}"


def becomes_nobody_else(it: Stack) -> Iterator[str]:
    """No process has, or can get, a right that its user has not."""
    for name, one in services(it):
        if one.get("cap_drop") != ["ALL"]:
            yield f"{name}: keeps capabilities"
        if "no-new-privileges:true" not in one.get("security_opt", ()):
            yield f"{name}: may become root"
        if one.get("privileged") or "host" in (one.get("pid"), one.get("network_mode")):
            yield f"{name}: is the host's"


def is_read_only(it: Stack) -> Iterator[str]:
    """No program can change its own image, its configuration or its secrets."""
    for name, one in services(it):
        if one.get("read_only") is not True:
            yield f"{name}: its root may be written"
        for what, where, may_write in mounts(one):
            if may_write and name != MAKER and (what[0] == "." or what.startswith("secrets-")):
                yield f"{name}: {where} may be written"


def has_no_secret_in_its_environment(it: Stack) -> Iterator[str]:
    """Secrets are files: what an environment holds is shown by every `inspect`."""
    for name, one in services(it):
        for variable, value in one.get("environment", {}).items():
            if SECRETS.search(variable) and not str(value).startswith("/run/"):
                yield f"{name}: {variable} is no file"


def keeps_secrets_apart(it: Stack) -> Iterator[str]:
    """A volume of secrets is mounted by the one it is made for, and by the one that makes it."""
    for name, one in services(it):
        for what, where, _ in mounts(one):
            if what.startswith("secrets-"):
                whose = what.removeprefix("secrets-")
                if name == MAKER:
                    if where != f"/secrets/{whose}":
                        yield f"{name}: {what} is not made at {where}"
                elif whose != READS.get(name, name):
                    yield f"{name}: reads the secrets of {whose}"


def listens_on_loopback(it: Stack) -> Iterator[str]:
    """What is published is for this machine alone, unless its owner says otherwise."""
    for name, one in services(it):
        for port in one.get("ports", ()):
            if not port.startswith("127.0.0.1:"):
                yield f"{name}: {port} is for everybody"


def is_pinned(it: Stack) -> Iterator[str]:
    """No image is whatever is newest."""
    for name, one in services(it):
        if not PINNED.fullmatch(one["image"]):
            yield f"{name}: {one['image']} is not pinned"


def comes_back(it: Stack) -> Iterator[str]:
    """Whatever fails is started again; what a person runs by hand is not."""
    for name, one in services(it):
        by_hand = bool(one.get("profiles")) or name == MAKER
        if not by_hand and one.get("restart") not in {"unless-stopped", "on-failure"}:
            yield f"{name}: stays away when it fails"


def ends_in_peace(it: Stack) -> Iterator[str]:
    """Whatever is stopped gets longer than its longest handling."""
    for name, one in services(it):
        if _seconds(one.get("stop_grace_period", "10s")) <= LONGEST_STOP:
            yield f"{name}: is killed while it ends"


def _seconds(text: str) -> int:
    return int(text[:-1]) * SECONDS[text[-1]]


def is_asked(it: Stack) -> Iterator[str]:
    """Whatever lasts says whether it is well."""
    for name, one in lasting(it):
        asked = one.get("healthcheck", {})
        if not asked.get("test") or asked.get("disable"):
            yield f"{name}: nobody asks it"
        for what in ("interval", "timeout", "retries", "start_period"):
            if what not in asked:
                yield f"{name}: asked without {what}"


def waits_until_well(it: Stack) -> Iterator[str]:
    """Whoever needs another starts when that one is well, or done; secrets are there before they are read."""
    last = {name for name, _ in lasting(it)}
    for name, one in services(it):
        for other, until in waits_for(one).items():
            if until != (HEALTHY if other in last else DONE):
                yield f"{name}: starts when {other} has only {until}"
        reads = any(what.startswith("secrets-") for what, _, _ in mounts(one))
        if reads and name != MAKER and not one.get("profiles") and MAKER not in _before(it, name):
            yield f"{name}: may start before its secrets are made"
        if name in SERVICES and not {"migrate", "nats", "postgres"} <= _before(it, name):
            yield f"{name}: may start before NATS, Postgres, and what is made in them"


def _before(it: Stack, name: str) -> set[str]:
    """Return all that a service waits for, through others too."""
    found: set[str] = set()
    ahead = [name]
    while ahead:
        new = waits_for(it["services"][ahead.pop()]).keys() - found
        found |= new
        ahead += new
    return found


def is_among_its_own(it: Stack) -> Iterator[str]:
    """Everybody names its networks, and the small ones have their members."""
    for name, one in services(it):
        joined = one.get("networks", ())
        if not joined and one.get("network_mode") != "none":
            yield f"{name}: stands in a network with everybody"
        for network in joined:
            if name not in MEMBERS.get(network, {name}):
                yield f"{name}: has no business in {network}"


def is_closed(it: Stack) -> Iterator[str]:
    """What needs no way out has none."""
    networks = it["networks"]
    for network in CLOSED & networks.keys():
        if networks[network].get("internal") is not True:
            yield f"{network}: has a way out"
    if "pages" in networks and networks["pages"].get("driver_opts", {}).get(MASQUERADE) != "false":
        yield "pages: have a way out"


def keeps_its_words_short(it: Stack) -> Iterator[str]:
    """No log fills the disk."""
    for name, one in services(it):
        if not {"max-size", "max-file"} <= one.get("logging", {}).get("options", {}).keys():
            yield f"{name}: its log grows for ever"


RULES: Final[tuple[Rule, ...]] = (
    is_limited,
    is_nobody,
    becomes_nobody_else,
    is_read_only,
    has_no_secret_in_its_environment,
    keeps_secrets_apart,
    listens_on_loopback,
    is_pinned,
    comes_back,
    ends_in_peace,
    is_asked,
    waits_until_well,
    is_among_its_own,
    is_closed,
    keeps_its_words_short,
)
