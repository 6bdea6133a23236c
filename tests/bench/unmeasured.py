"""`python -m bench.unmeasured MODULE`: a service that counts nothing, to see what counting costs."""

import runpy
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from chassis import metrics


class Nothing:
    """Takes whatever a counter, a gauge or a histogram takes."""

    def labels(self, *_names: object, **_named: object) -> Self:
        return self

    def inc(self, _by: float = 1) -> None: ...

    def dec(self, _by: float = 1) -> None: ...

    def set(self, _value: float) -> None: ...

    def observe(self, _value: float) -> None: ...

    def clear(self) -> None: ...

    @contextmanager
    def time(self) -> Iterator[None]:
        yield

    track_inprogress = time


def count_nothing() -> None:
    """Do so in this process; before the services are imported, for they ask for their counters then."""
    nothing = Nothing()
    metrics.counter = metrics.gauge = metrics.histogram = lambda *_, **__: nothing  # type: ignore[assignment]
    from job_store.store import standing  # noqa: PLC0415 - as above

    async def uncounted(_self: object) -> bool:
        return False

    standing.Standing.measure = uncounted  # type: ignore[method-assign]


def main() -> None:
    """Be the service."""
    module = sys.argv[1]
    count_nothing()
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
