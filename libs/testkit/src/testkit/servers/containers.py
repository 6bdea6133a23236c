"""The upstream images, when a Docker engine answers. Imported only by those who checked that."""

import asyncio
import logging
import secrets

import asyncpg
from docker.errors import DockerException
from testcontainers.core.container import DockerContainer

from testkit.ports import LOOPBACK, free_port
from testkit.processes.child import ChildFailed
from testkit.processes.waiting import POLL
from testkit.servers.greeting import greets_with_jetstream

POSTGRES_IMAGE = "postgres:17"
NATS_IMAGE = "nats:2.12"
READY_WITHIN = 30.0


log = logging.getLogger(__name__)


async def starts(server: "ContainerServer") -> bool:
    """Start it; false, with the reason logged, when the engine cannot get or run the image."""
    try:
        await server.start()
    except (DockerException, ChildFailed) as refused:
        log.warning("no container, going on with the wheel: %s", refused)
        await server.discard()
        return False
    return True


class ContainerServer:
    """One container on a fixed loopback port, so that its address outlives a restart."""

    def __init__(self, container: DockerContainer, *, inner_port: int) -> None:
        self.port = free_port()
        self._container = container.with_bind_ports(inner_port, self.port)
        self._made = False

    @property
    def url(self) -> str:
        """What a client connects to."""
        raise NotImplementedError

    async def serves(self) -> bool:
        """True when a client would be served."""
        raise NotImplementedError

    async def start(self) -> None:
        """Make the container, or start it again, and wait until it serves."""
        if self._made:
            self._container.get_wrapped_container().start()
        else:
            self._container.start()
            self._made = True
        try:
            async with asyncio.timeout(READY_WITHIN):
                while not await self.serves():
                    await asyncio.sleep(POLL)
        except TimeoutError as late:
            raise ChildFailed(f"{self.url} does not serve\n{self.log_tail()}") from late

    async def stop(self) -> None:
        """Stop the container and keep its content."""
        self._container.get_wrapped_container().stop()

    async def kill(self) -> None:
        """SIGKILL to everything in the container."""
        self._container.get_wrapped_container().kill()

    async def restart(self) -> None:
        """Stop gracefully and start."""
        await self.stop()
        await self.start()

    async def discard(self) -> None:
        """Remove the container and its content."""
        if self._made:
            self._container.stop()

    def pause(self) -> None:
        """Freeze every process in the container."""
        self._container.get_wrapped_container().pause()

    def resume(self) -> None:
        """Thaw."""
        self._container.get_wrapped_container().unpause()

    def log_tail(self) -> str:
        """What the container wrote last."""
        out, err = self._container.get_logs()
        return (out + err).decode(errors="replace")[-4000:]


class ContainerPostgres(ContainerServer):
    """The upstream Postgres image."""

    def __init__(self, image: str = POSTGRES_IMAGE) -> None:
        self._password = secrets.token_urlsafe(24)
        container = DockerContainer(image).with_envs(
            POSTGRES_USER="sendonce", POSTGRES_DB="sendonce", POSTGRES_PASSWORD=self._password
        )
        super().__init__(container, inner_port=5432)

    @property
    def url(self) -> str:
        """The database made for sendonce."""
        return self.url_of("sendonce")

    def url_of(self, database: str) -> str:
        """Another database of this server."""
        return f"postgresql://sendonce:{self._password}@{LOOPBACK}:{self.port}/{database}"

    async def serves(self) -> bool:
        """True when a login succeeds."""
        try:
            connection = await asyncpg.connect(self.url, timeout=1)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True


class ContainerNats(ContainerServer):
    """The upstream nats-server image, with JetStream."""

    def __init__(self, image: str = NATS_IMAGE) -> None:
        container = DockerContainer(image).with_command(["-js", "-sd", "/data"])
        super().__init__(container, inner_port=4222)

    @property
    def url(self) -> str:
        """What a client connects to."""
        return f"nats://{LOOPBACK}:{self.port}"

    async def serves(self) -> bool:
        """True when the server greets with JetStream on."""
        return await greets_with_jetstream(LOOPBACK, self.port)
