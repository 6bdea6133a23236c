"""A Docker engine and one project of `docker compose` on it, as an operator drives them."""

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Final

import yaml

from testkit.ports import LOOPBACK, free_port, is_free
from testkit.servers.greeting import greets_with_jetstream

ROOT: Final = Path(__file__).parents[2]
COMPOSE: Final = ROOT / "deploy" / "compose"
MONITORING: Final = COMPOSE / "compose.monitoring.yaml"
OVERLAYS: Final = ROOT / "tests" / "stack"
IMAGES: Final = ("cli", "job-store", "submitter", "deliverer", "reconciler", "callback-gateway")
SERVICES: Final = IMAGES[1:]
SERVERS: Final = ("nats", "postgres")
READY_WITHIN: Final = 180.0  # seconds; seven containers starting side by side on a small machine
LOOK_EVERY: Final = 0.25
PROBE: Final = {
    "postgres": (
        "pg_isready",
        "--host",
        "127.0.0.1",
        "--username",
        "postgres",
        "--dbname",
        "sendonce",
    )
}
READY: Final = ("/app/bin/python", "-m", "chassis.probe")

Say = Callable[[str], None]
Heard = Callable[[str], None]


class EngineFailed(Exception):
    """A command of the engine failed; the message is what it said."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str


async def ran(
    *command: str, env: Mapping[str, str] | None = None, heard: Heard | None = None
) -> Ran:
    """Run a command; `heard` is told each line of stderr as it comes."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env=None if env is None else {**os.environ, **env},  # noqa: TID251 - handed on
    )
    lines: list[str] = []

    async def listen(stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            lines.append(line.decode(errors="replace"))
            if heard is not None:
                heard(lines[-1].rstrip())

    assert process.stdout is not None
    assert process.stderr is not None
    out, _ = await asyncio.gather(process.stdout.read(), listen(process.stderr))
    code = await process.wait()
    return Ran(code, out.decode(errors="replace"), "".join(lines))


async def done(*command: str, env: Mapping[str, str] | None = None) -> str:
    """Run a command that must succeed; returns what it wrote."""
    it = await ran(*command, env=env)
    if it.code:
        raise EngineFailed(
            f"{' '.join(command)}: exit code {it.code}\n{it.err[-4000:]}{it.out[-2000:]}"
        )
    return it.out


async def build(version: str, say: Say) -> None:
    """Build every image with this version."""
    for image in IMAGES:
        say(f"building sendonce/{image}:{version}")
        await done(
            "docker", "build", "--quiet",
            "--file", str(ROOT / "deploy" / "images" / "Dockerfile"),
            "--build-arg", f"SERVICE={image}",
            "--build-arg", f"VERSION={version}",
            "--tag", f"sendonce/{image}:{version}",
            str(ROOT),
        )  # fmt: skip


async def build_standin(image: str, package: str) -> None:
    """Build a stand-in of a public image from a package of Debian's."""
    await done(
        "docker", "build", "--quiet",
        "--file", str(OVERLAYS / "standins.Dockerfile"),
        "--build-arg", f"PACKAGE={package}",
        "--tag", image,
        str(OVERLAYS),
    )  # fmt: skip


async def composer() -> tuple[str, ...]:
    """Return the command that composes: the engine's own, else the program of its first version."""
    own = ("docker", "compose")
    return own if (await ran(*own, "version")).code == 0 else ("docker-compose",)


async def is_standin() -> bool:
    """Tell whether this machine's Postgres image is a stand-in of the public one."""
    look = ("docker", "run", "--rm", "--entrypoint", "sh", "postgres:17", "-c")
    return (await ran(*look, "command -v docker-entrypoint.sh")).code != 0


def two_free_ports() -> int:
    """Return a port that is free with the one after it: each of two gateways takes one."""
    while True:
        port = free_port()
        if is_free(port + 1):
            return port


@dataclass(kw_only=True)
class Stack:
    """One project; its ports are its own, so that it stands beside others."""

    project: str
    composer: Sequence[str]
    overlays: Sequence[Path]
    say: Say
    standins: bool = False  # of public images, which this machine cannot have
    version: str = "0.1.0"
    gateways: int = field(default_factory=two_free_ports)
    chats: int = field(default_factory=free_port)
    bus: int = field(default_factory=free_port)
    prometheus: int = field(default_factory=free_port)
    alertmanager: int = field(default_factory=free_port)
    grafana: int = field(default_factory=free_port)

    @property
    def telegram_url(self) -> str:
        """The sandbox Telegram from this machine."""
        return f"http://{LOOPBACK}:{self.chats}"

    @property
    def nats_url(self) -> str:
        """NATS from this machine."""
        return f"nats://{LOOPBACK}:{self.bus}"

    async def compose(self, *arguments: str) -> str:
        """Run `docker compose`."""
        return await done(*self._command(), *arguments, env=self._environment())

    async def typed(self, *arguments: str, heard: Heard | None = None) -> Ran:
        """Type a command of `sendonce`, as the deployment's operator."""
        return await ran(
            *self._command(), "run", "--rm", "-T", "operator", *arguments,
            env=self._environment(), heard=heard,
        )  # fmt: skip

    async def containers(self, service: str) -> list[str]:
        """Return the ids of a service's containers, also of those that do not run."""
        return (await self.compose("ps", "--all", "--quiet", service)).split()

    async def kill(self, service: str) -> float:
        """SIGKILL to a service's first container, which is started again at once; returns seconds until it is ready."""
        container = (await self.containers(service))[0]
        await done("docker", "kill", "--signal", "KILL", container)
        began = monotonic()
        await done("docker", "start", container)
        await self.ready(service)
        return round(monotonic() - began, 1)

    async def replace(self, service: str, *, version: str) -> float:
        """Let a service go on as another version; returns seconds until it is ready."""
        self.version = version
        began = monotonic()
        await self.compose("up", "--detach", "--no-deps", service)
        await self.ready(service)
        return round(monotonic() - began, 1)

    async def migrate(self, *, version: str) -> None:
        """Bring schema and streams to what the next version needs; the one before bears them, so nobody goes back."""
        self.version = version
        await self.compose("run", "--rm", "-T", "--no-deps", "migrate")

    async def image(self, service: str) -> str:
        """Return the name of the image a service's containers run."""
        (name,) = {
            await self._inspected(one, "{{.Config.Image}}")
            for one in await self.containers(service)
        }
        return name

    async def named(self, service: str) -> str:
        """Return the name of the image that a service is to run."""
        config = yaml.safe_load(await self.compose("config"))
        return str(config["services"][service]["image"])

    async def ready(self, *services: str) -> None:
        """Wait until every container of these services serves."""
        async with asyncio.timeout(READY_WITHIN):
            for service in services:
                while not await self._serves(service):
                    await asyncio.sleep(LOOK_EVERY)  # noqa: TID251 - the rate of a look

    async def _serves(self, service: str) -> bool:
        if service == "nats":
            return await greets_with_jetstream(LOOPBACK, self.bus)
        probe = PROBE.get(service, READY)
        found = await self.containers(service)
        answers = [(await ran("docker", "exec", one, *probe)).code == 0 for one in found]
        return bool(answers) and all(answers)

    async def metrics(self, container: str) -> str:
        """Return what a container tells Prometheus."""
        look = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8090/metrics').read().decode())"
        return await done("docker", "exec", container, "/app/bin/python", "-c", look)

    async def secret(self, path: str) -> str:
        """Read a secret as an administrator of the machine does."""
        return await self.compose(
            "run", "--rm", "-T", "--no-deps", "--entrypoint", "cat", "secrets", f"/secrets/{path}"
        )

    async def logs(self) -> str:
        """Return what every container wrote."""
        return await self.watched().compose("logs", "--no-color", "--timestamps")

    def watched(self) -> "Stack":
        """Return the same project with who watches it."""
        return replace(self, overlays=(MONITORING, *self.overlays))

    async def remove(self) -> None:
        """Take away containers, networks and volumes, also of who watches."""
        await self.watched().compose(
            "--profile", "operator", "down", "--volumes", "--remove-orphans", "--timeout", "5"
        )

    async def _inspected(self, container: str, template: str) -> str:
        return (await done("docker", "inspect", "--format", template, container)).strip()

    def _command(self) -> list[str]:
        files = (COMPOSE / "compose.yaml", COMPOSE / "compose.trial.yaml", *self.overlays)
        return [
            *self.composer, "--project-name", self.project, "--project-directory", str(COMPOSE),
            *(part for file in files for part in ("--file", str(file))),
        ]  # fmt: skip

    def _environment(self) -> dict[str, str]:
        return {
            "SENDONCE_VERSION": self.version,
            "GATEWAY_ADDRESS": f"{LOOPBACK}:{self.gateways}-{self.gateways + 1}",
            "CHAT_ADDRESS": f"{LOOPBACK}:{self.chats}",
            "NATS_ADDRESS": f"{LOOPBACK}:{self.bus}",
            "PROMETHEUS_ADDRESS": f"{LOOPBACK}:{self.prometheus}",
            "ALERTMANAGER_ADDRESS": f"{LOOPBACK}:{self.alertmanager}",
            "GRAFANA_ADDRESS": f"{LOOPBACK}:{self.grafana}",
        }
