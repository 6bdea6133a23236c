"""What a test may ask of a server, wherever it comes from."""

from typing import Protocol


class NotOurs(RuntimeError):
    """The server was given by its address; only its owner can stop it."""


class Server(Protocol):
    """A server that can be killed and frozen."""

    @property
    def url(self) -> str:
        """What a client connects to."""

    async def start(self) -> None:
        """Start and wait until it serves."""

    async def stop(self) -> None:
        """Graceful end."""

    async def kill(self) -> None:
        """SIGKILL; what was committed stays."""

    async def restart(self) -> None:
        """Stop gracefully and start, same address, same content."""

    async def discard(self) -> None:
        """End it for good, with its content."""

    def pause(self) -> None:
        """Freeze: connections stay open, nothing answers."""

    def resume(self) -> None:
        """Thaw."""


class DatabaseServer(Server, Protocol):
    """A Postgres on which databases can be made."""

    def url_of(self, database: str) -> str:
        """Another database of this server, as a role that may create databases."""
