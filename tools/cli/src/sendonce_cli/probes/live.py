"""What is seen while probes run: a bar on a terminal, a line for each phase elsewhere; always on stderr."""

from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as Bar

from sendonce_cli.probes.items import Found, Item, Phase, Probe


class Progress:
    """Shows what is looked at."""

    def __init__(self, console: Console, *, total: int) -> None:
        self._console = console
        self._bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=total)
        self._items: list[Item] = []

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def begin(self, phase: Phase[Any], probe: Probe[Any]) -> None:
        """Say what is looked at now."""
        self.say(f"{phase.number} {phase.name} · {probe.name}")

    def say(self, doing: str) -> None:
        """Say what is done now, on a terminal."""
        self._bar.update(self._task, description=doing)

    def tell(self, phase: Phase[Any], item: Item) -> None:
        """Count what was found; a phase that is over is a line where nothing can be redrawn."""
        self._bar.advance(self._task)
        self._items.append(item)
        if len(self._items) < len(phase.probes):
            return
        ok = sum(one.found is Found.OK for one in self._items)
        line = f"{phase.number} {phase.name}: {ok} of {len(self._items)}"
        self._items.clear()
        if not self._console.is_terminal:
            self._console.print(line, markup=False, soft_wrap=True)
