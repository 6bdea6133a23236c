"""Every way to put the compose files together keeps every rule; and every rule bites."""

from collections.abc import Callable
from typing import Any, Final

import pytest
import yaml

from chassis.settings import KNOWN_NAMES, PREFIX
from deploy import compose_policies as policies
from deploy.composing import COMPOSE, STACKS, Stack, lasting, mounts, settled, stack
from deploy.policies import SERVICES
from sendonce_cli.access.deployment import AUDIENCES, SANDBOX
from submitter.app import STOP_GRACE

Spoil = Callable[[Stack], object]


@pytest.mark.parametrize("rule", policies.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", STACKS)
def test_every_rule_is_kept(name: str, rule: policies.Rule) -> None:
    assert list(rule(stack(name))) == []
    assert list(rule(stack(name, from_env=False))) == []


def _of(it: Stack, name: str) -> dict[str, Any]:
    found: dict[str, Any] = it["services"][name]
    return found


def _without(
    rule: policies.Rule, line: str, *names: str
) -> tuple[tuple[policies.Rule, Spoil], ...]:
    return tuple((rule, lambda it, name=name: _of(it, name).pop(line)) for name in names)


def _with(rule: policies.Rule, name: str, **lines: Any) -> tuple[policies.Rule, Spoil]:
    return (rule, lambda it: _of(it, name).update(lines))


EVERYBODY: Final = tuple(stack("all")["services"])
LASTING: Final = tuple(name for name, _ in lasting(stack("all")))
SPOILT: Final[tuple[tuple[policies.Rule, Spoil], ...]] = (
    *_without(policies.is_limited, "mem_limit", *EVERYBODY),
    *_without(policies.is_limited, "cpus", "deliverer", "postgres", "grafana"),
    *_without(policies.is_limited, "pids_limit", "deliverer", "postgres", "grafana"),
    *_without(policies.is_nobody, "user", "deliverer", "postgres", "prometheus"),
    _with(policies.is_nobody, "grafana", user="root"),
    *_without(
        policies.becomes_nobody_else, "cap_drop", "nats", "postgres", "secrets", "alertmanager"
    ),
    _with(policies.is_nobody, "job-store", cap_add=["NET_ADMIN"]),
    *_without(policies.becomes_nobody_else, "security_opt", "nats", "secrets", "kie"),
    *_without(policies.is_nobody, "network_mode", "secrets"),
    _with(policies.is_nobody, "secrets", cap_add=["SYS_ADMIN"]),
    _with(policies.becomes_nobody_else, "deliverer", privileged=True),
    _with(policies.becomes_nobody_else, "prometheus", network_mode="host"),
    *_without(policies.is_read_only, "read_only", *EVERYBODY),
    _with(policies.is_read_only, "deliverer", volumes=["secrets-deliverer:/run/secrets"]),
    _with(policies.is_read_only, "nats", volumes=["./nats.conf:/etc/nats/nats.conf"]),
    _with(
        policies.has_no_secret_in_its_environment,
        "deliverer",
        environment={"SENDONCE_BOT_TOKEN": "1:x"},
    ),
    _with(
        policies.has_no_secret_in_its_environment,
        "grafana",
        environment={"GF_SECURITY_ADMIN_PASSWORD": "x"},
    ),
    _with(policies.keeps_secrets_apart, "kie", volumes=["secrets-submitter:/run/secrets:ro"]),
    _with(policies.keeps_secrets_apart, "grafana", volumes=["secrets-postgres:/run/secrets:ro"]),
    _with(policies.keeps_secrets_apart, "secrets", volumes=["secrets-nats:/secrets/bots"]),
    _with(policies.listens_on_loopback, "grafana", ports=["3000:3000"]),
    _with(policies.listens_on_loopback, "nats", ports=["0.0.0.0:4222:4222"]),
    _with(policies.is_pinned, "nats", image="nats"),
    _with(policies.is_pinned, "grafana", image="grafana/grafana:latest"),
    *_without(policies.comes_back, "restart", "deliverer", "migrate", "prometheus"),
    *_without(policies.ends_in_peace, "stop_grace_period", *EVERYBODY),
    _with(policies.ends_in_peace, "submitter", stop_grace_period="40s"),
    *_without(policies.is_asked, "healthcheck", *LASTING),
    (policies.is_asked, lambda it: _of(it, "nats")["healthcheck"].pop("start_period")),
    (policies.is_asked, lambda it: _of(it, "nats")["healthcheck"].update(disable=True)),
    *_without(
        policies.waits_until_well, "depends_on", "deliverer", "migrate", "nats", "kie", "grafana"
    ),
    (
        policies.waits_until_well,
        lambda it: _of(it, "migrate")["depends_on"]["nats"].update(condition="service_started"),
    ),
    *_without(policies.is_among_its_own, "networks", "deliverer", "grafana"),
    _with(policies.is_among_its_own, "alertmanager", networks=["monitoring", "alerts"]),
    _with(policies.is_among_its_own, "deliverer", networks=["bus", "data"]),
    *(
        (policies.is_closed, lambda it, name=name: it["networks"][name].pop("internal"))
        for name in sorted(policies.CLOSED)
    ),
    (policies.is_closed, lambda it: it["networks"]["pages"].pop("driver_opts")),
    *_without(policies.keeps_its_words_short, "logging", "nats", "postgres", "kie", "grafana"),
)


@pytest.mark.parametrize("rule, spoil", SPOILT)
def test_a_rule_bites_when_its_line_is_gone(rule: policies.Rule, spoil: Spoil) -> None:
    it = stack("all")

    spoil(it)

    assert list(rule(it)) != []


def test_every_rule_has_a_line_that_is_taken_away() -> None:
    assert {rule for rule, _ in SPOILT} == set(policies.RULES)


def test_a_submitter_has_the_time_it_asks_for() -> None:
    assert policies.LONGEST_STOP >= STOP_GRACE


def test_whoever_has_secrets_has_a_volume_of_its_own() -> None:
    def made(name: str) -> set[str]:
        one = stack(name)["services"]["secrets"]
        return {
            where.removeprefix("/secrets/") for what, where, _ in mounts(one) if "secrets" in what
        }

    assert made("base") == made("monitoring") == set(AUDIENCES)
    assert made("trial") == {*AUDIENCES, SANDBOX}


def test_a_value_of_env_is_the_default_of_its_place() -> None:
    """So `.env` shows what there is to set, and a stack without it is the same."""
    assert stack("all") == stack("all", from_env=False)


def test_a_place_takes_its_value_and_an_empty_one_its_default() -> None:
    assert settled("${A:-1} ${B:-2} ${C:-}|${D}", {"A": "x", "B": "", "D": "y"}) == "x 2 |y"


@pytest.mark.parametrize("name", STACKS)
def test_every_setting_is_one_that_is_read(name: str) -> None:
    known = {PREFIX + each + end for each in KNOWN_NAMES for end in ("", "_FILE")}
    told = {
        setting
        for service in stack(name)["services"].values()
        if service["image"].startswith("sendonce/")
        for setting in service.get("environment", ())
        if setting.startswith(PREFIX)
    }

    assert told
    assert told <= known


def test_a_trial_names_its_sandboxes_to_whoever_looks_at_them() -> None:
    """`check`, `smoke` and `trial` need no options there, and results may come from both."""
    it = stack("trial")
    told = {name: _of(it, name)["environment"] for name in ("operator", "submitter", "deliverer")}
    named, telegram = told["operator"], told["deliverer"]

    assert named["SENDONCE_KIE_SANDBOX"] == told["submitter"]["SENDONCE_KIE_API_URL"]
    assert named["SENDONCE_TELEGRAM_SANDBOX"] == telegram["SENDONCE_TELEGRAM_API_URL"]
    assert telegram["SENDONCE_MEDIA_HOSTS"].split(",") == ["kie", "telegram"]


def test_prometheus_asks_every_service_at_its_health_port() -> None:
    asked = yaml.safe_load((COMPOSE / "prometheus.yml").read_text("utf-8"))
    (job,) = asked["scrape_configs"]
    found = {one["labels"]["service"]: one["targets"] for one in job["static_configs"]}

    assert job["job_name"] == "sendonce"
    assert found == {name: [f"{name}:8090"] for name in SERVICES}
    assert f"SENDONCE_HEALTH_PORT={8090} " in (COMPOSE / "../images/Dockerfile").read_text("utf-8")


def test_alerts_go_nowhere_until_somebody_says_where() -> None:
    """The default can be told from one that tells somebody, and has no secret in it."""
    shipped = yaml.safe_load((COMPOSE / "alertmanager.yml").read_text("utf-8"))

    assert shipped["receivers"] == [{"name": shipped["route"]["receiver"]}]
