"""A real Prometheus with what is shipped, beside running services: it scrapes, every query works, an alert fires."""

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml
from pydantic import SecretStr

import callback_gateway.app
import callback_gateway.settings
import job_store.app
from chassis import lifecycle
from deployment import eventually
from observability.shipped import PROMETHEUS, alerts, dashboard_queries
from testkit.ports import LOOPBACK, free_port
from testkit.processes import ServiceProcess, ServiceSpec

PROGRAM: Final = shutil.which("prometheus") or ""
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(180),
    pytest.mark.skipif(
        not PROGRAM,
        reason="prometheus is not here, so no real one is asked: apt-get install prometheus",
    ),
]
STRANGERS: Final = 12  # callbacks of tasks nobody knows; eleven are a spike where none are usual
WITHIN: Final = 60.0
# What a machine may cause that others keep busy: no alert waits here before it fires.
OF_SLOWNESS: Final = {"LoopFailing", "PostgresSlow", "ServiceDown", "StandingUnknown"}


class Prometheus:
    """A running one, asked over its API."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        self._url = url
        self._http = http

    async def ask(self, path: str, **query: str) -> Any:
        answer = await self._http.get(f"{self._url}/api/v1/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def firing(self) -> set[str]:
        found = (await self.ask("alerts"))["alerts"]
        names = {one["labels"]["alertname"] for one in found if one["state"] == "firing"}
        return names - OF_SLOWNESS

    async def up(self) -> set[str]:
        found = (await self.ask("targets"))["activeTargets"]
        return {one["labels"]["service"] for one in found if one["health"] == "up"}


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=10) as http:
        yield http


@pytest.fixture
async def gateway(database_url: str, nats_url: str, tmp_path: Path) -> AsyncIterator[str]:
    """A gateway and a job-store in this event loop, and the file in which Prometheus finds them."""
    await job_store.app.migrate_bus(nats_url)
    ports = {"job-store": free_port(), "callback-gateway": free_port()}
    public = free_port()
    store = job_store.app.Settings(
        nats_url=nats_url,
        database_url=SecretStr(database_url),
        health_port=ports["job-store"],
        log_level="warning",
    )
    door = callback_gateway.settings.Settings(
        nats_url=nats_url,
        gateway_port=public,
        health_port=ports["callback-gateway"],
        log_level="warning",
    )
    targets = [
        {"targets": [f"{LOOPBACK}:{port}"], "labels": {"service": name}}
        for name, port in ports.items()
    ]
    (tmp_path / "targets.json").write_text(json.dumps(targets), "utf-8")
    async with (
        lifecycle.service(job_store.app.build, store, name="job-store"),
        lifecycle.service(callback_gateway.app.build, door, name="callback-gateway"),
    ):
        yield f"http://{LOOPBACK}:{public}/callbacks/kie"


@pytest.fixture
async def prometheus(
    gateway: str, http: httpx.AsyncClient, tmp_path: Path
) -> AsyncIterator[Prometheus]:
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    command = (
        PROGRAM,
        f"--config.file={hastened(tmp_path)}",
        f"--storage.tsdb.path={tmp_path / 'series'}",
        f"--web.listen-address={LOOPBACK}:{port}",
    )
    spec = ServiceSpec(
        name="prometheus",
        command=command,
        log=tmp_path / "prometheus.log",
        ready_url=f"{url}/-/ready",
    )
    async with AsyncExitStack() as stack:
        process = ServiceProcess(spec)
        process.spawn()
        stack.push_async_callback(process.stop)
        await process.wait_ready()
        yield Prometheus(url, http)


def hastened(directory: Path) -> Path:
    """Write the shipped config for a test: it looks every second, and an alert fires at once."""
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text("utf-8"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (scraped,) = config["scrape_configs"]
    (found,) = scraped["file_sd_configs"]
    found["files"] = [str(directory / "targets.json")]
    (directory / "rules").mkdir()
    for path in (PROMETHEUS / "rules").glob("*.yml"):
        rules = yaml.safe_load(path.read_text("utf-8"))
        for group in rules["groups"]:
            for rule in group["rules"]:
                rule.pop("for", None)
        (directory / "rules" / path.name).write_text(yaml.safe_dump(rules), "utf-8")
    written = directory / "prometheus.yml"
    written.write_text(yaml.safe_dump(config), "utf-8")
    return written


async def test_a_spike_of_orphans_is_told_and_nothing_else(
    prometheus: Prometheus, gateway: str, http: httpx.AsyncClient
) -> None:
    async def sees_all() -> bool:
        return await prometheus.up() == {"job-store", "callback-gateway"}

    async def is_calm() -> bool:
        return await prometheus.firing() == set()

    async def is_told() -> bool:
        return await prometheus.firing() == {"OrphanSpike"}

    await eventually(sees_all, within=WITHIN)
    await eventually(is_calm, within=WITHIN)
    for number in range(STRANGERS):
        data = {"taskId": f"stranger-{number}", "state": "waiting"}
        answer = await http.post(gateway, json={"code": 200, "msg": "ok", "data": data})
        assert answer.status_code == 200

    await eventually(is_told, within=WITHIN)

    groups = (await prometheus.ask("rules"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert {rule["name"] for rule in rules} == {alert.name for alert in alerts()}
    assert [rule["lastError"] for rule in rules if rule["health"] == "err"] == []
    for query in dashboard_queries():
        await prometheus.ask("query", query=query.replace("$bot", ".*"))
