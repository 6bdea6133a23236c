"""The five services as child processes: what each is told, and in which order they start and stop."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from chassis.settings import PREFIX
from sendonce_cli.settings import DELIVERER, GATEWAY, RECONCILER, STORE, SUBMITTER
from sendonce_cli.trouble import FAILED, USAGE, Trouble
from testkit.ports import LOOPBACK, free_port
from testkit.processes import ChildFailed, ServiceProcess, ServiceSpec, python_module

# Whoever brings work in starts last and stops first; the judge hears all of them out.
START_ORDER: Final = (STORE, DELIVERER, SUBMITTER, RECONCILER, GATEWAY)
BAD_SETTINGS: Final = 2  # the exit code of a service that will never start like this
READY_WITHIN: Final = 45.0  # seconds; five Pythons starting side by side on a small machine


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePlan:
    """One service to run: its environment and where it tells its health."""

    name: str
    env: Mapping[str, str]
    health_port: int
    log: Path

    @property
    def module(self) -> str:
        return self.name.replace("-", "_")

    @property
    def health_url(self) -> str:
        return f"http://{LOOPBACK}:{self.health_port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """What all services are told, and what only one of them is told."""

    shared: Mapping[str, str]
    own: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def plan_services(wiring: Wiring, *, logs: Path) -> dict[str, ServicePlan]:
    """Give every service its environment, a health port and a log."""
    plans = {}
    for name in START_ORDER:
        port = free_port()
        told = {
            **wiring.shared,
            **wiring.own.get(name, {}),
            "HEALTH_PORT": str(port),
        }
        env = {PREFIX + key: value for key, value in told.items()}
        plans[name] = ServicePlan(name=name, env=env, health_port=port, log=logs / f"{name}.log")
    return plans


def as_process(plan: ServicePlan) -> ServiceProcess:
    """Return the service as a child process, not yet started."""
    return ServiceProcess(
        ServiceSpec(
            name=plan.name,
            command=python_module(plan.module),
            log=plan.log,
            env=plan.env,
            ready_url=f"{plan.health_url}/readyz",
            ready_within=READY_WITHIN,
        )
    )


async def start_all(processes: Iterable[ServiceProcess]) -> None:
    """Start side by side, for each waits for what it needs by itself; trouble names the first to fail."""
    started = list(processes)
    for process in started:
        process.spawn()
    try:
        async with asyncio.TaskGroup() as group:
            for process in started:
                group.create_task(process.wait_ready())
    except* ChildFailed as failed:
        raise not_started(failed.exceptions[0], started) from failed


def not_started(failure: BaseException, started: list[ServiceProcess]) -> Trouble:
    """Say why a process did not start: what happened to it, and the last thing it wrote."""
    lines = str(failure).splitlines()
    logs = [process.spec.log for process in started if lines[0].startswith(process.name)]
    return Trouble(
        f"{lines[0]}: {lines[-1].strip()}",
        hint=f"its log is {logs[0]}" if logs else "",
        code=USAGE if any(process.exit_code == BAD_SETTINGS for process in started) else FAILED,
    )


async def stop_all(processes: Iterable[ServiceProcess]) -> None:
    """Stop in the reverse of the start order, so that nothing is left half told."""
    by_name = {process.name: process for process in processes}
    for name in reversed(START_ORDER):
        if name in by_name:
            await by_name[name].stop()
