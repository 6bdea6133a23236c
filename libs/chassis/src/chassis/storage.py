"""What a store may ask of whatever keeps its rows: statements in transactions, whichever engine runs them."""

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol


class Row(Protocol):
    """A row by the names of its columns."""

    def __getitem__(self, name: str, /) -> Any:  # noqa: ANN401 - typed by the schema
        """Return the value of a column."""
        ...

    def keys(self) -> Iterable[str]:
        """Name the columns."""
        ...


class Connection(Protocol):
    """A way to run statements; what is refused is refused with asyncpg's errors."""

    async def execute(self, query: str, /, *args: Any) -> str:  # noqa: ANN401 - typed by the statement
        """Run a statement for what it changes."""
        ...

    async def executemany(self, query: str, args: Any, /) -> None:  # noqa: ANN401 - as above
        """Run a statement for each of these arguments, all or none."""
        ...

    async def fetch(self, query: str, /, *args: Any) -> list[Any]:  # noqa: ANN401 - as above
        """Run a statement and return its rows."""
        ...

    async def fetchrow(self, query: str, /, *args: Any) -> Any | None:  # noqa: ANN401 - as above
        """Run a statement and return its first row."""
        ...

    async def fetchval(self, query: str, /, *args: Any) -> Any:  # noqa: ANN401 - as above
        """Run a statement and return the first value of its first row."""
        ...

    def transaction(
        self, *, isolation: Literal["repeatable_read"] | None = None, readonly: bool = False
    ) -> AbstractAsyncContextManager[Any]:
        """Open a transaction on this connection: committed on leaving, undone on raising."""
        ...


class Database(Protocol):
    """An engine; `connection()` and `transaction()` are the only ways in."""

    @property
    def births(self) -> int:
        """How many connections were ever made: what is behind them may be another since."""
        ...

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """Lend a connection; `TimeoutError` when none comes free in time."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        """Lend a connection in one transaction."""
        ...

    async def ping(self) -> None:
        """Raise unless it can do its work; for readiness."""
        ...
