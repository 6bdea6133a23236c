"""Where an `events` loop stands, kept outside the process so that the next one goes on from there."""

import asyncio
import os
from pathlib import Path
from typing import Protocol


class Cursor(Protocol):
    """A place that remembers one number; a row of the bot's own database is the best one.

    A cursor that is saved in the transaction in which the bot acts on the event makes that act happen
    exactly once::

        class Row:
            async def load(self) -> int | None:
                return await pool.fetchval("SELECT seq FROM cursors WHERE name = 'sendonce'")

            async def save(self, seq: int) -> None:
                await pool.execute("UPDATE cursors SET seq = $1 WHERE name = 'sendonce'", seq)
    """

    async def load(self) -> int | None:
        """Return the number saved last; None when there is none yet."""

    async def save(self, seq: int) -> None:
        """Keep the number; once this returns, no crash may lose it."""


class FileCursor:
    """A cursor in a small file of its own; one file for each loop.

    A crash in the middle of a save leaves the number before it.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    def __repr__(self) -> str:
        return f"FileCursor({str(self._path)!r})"

    async def load(self) -> int | None:
        """Return the number in the file; None when there is no file.

        Raises:
            ValueError: the file holds no number; it is not overwritten.
        """
        return await asyncio.to_thread(self._read)

    async def save(self, seq: int) -> None:
        """Replace the file, durably and at once."""
        await asyncio.to_thread(self._write, seq)

    def _read(self) -> int | None:
        try:
            told = self._path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None
        if not told.isdigit():
            raise ValueError(f"{self._path} holds no cursor")
        return int(told)

    def _write(self, seq: int) -> None:
        # Written beside and moved over: there is never half a number.
        fresh = self._path.with_name(f"{self._path.name}.new")
        with fresh.open("w", encoding="ascii") as file:
            file.write(f"{seq}\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
