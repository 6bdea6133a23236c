"""A server somebody else runs, known by its address."""

from urllib.parse import urlsplit, urlunsplit

from testkit.servers.protocol import NotOurs


class GivenServer:
    """Serves as it is; to stop or freeze it is refused."""

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def url(self) -> str:
        """The given address."""
        return self._url

    async def start(self) -> None:
        """Nothing to do: it runs already."""

    async def stop(self) -> None:
        """Nothing to do: it goes on running."""

    async def discard(self) -> None:
        """Nothing to do: its content is not ours."""

    async def kill(self) -> None:
        """Refused."""
        self.pause()

    async def restart(self) -> None:
        """Refused."""
        self.pause()

    def pause(self) -> None:
        """Refused."""
        raise NotOurs("this server was given by its address and is not ours to stop")

    def resume(self) -> None:
        """Refused."""
        self.pause()


class GivenPostgres(GivenServer):
    """A given Postgres; its role must be allowed to create databases."""

    def url_of(self, database: str) -> str:
        """The same address with another database."""
        return urlunsplit(urlsplit(self._url)._replace(path=f"/{database}"))
