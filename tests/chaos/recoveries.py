"""How long work rests after a fault: from the moment a process died, or a server was back, to its next deed."""

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Final

from chaos.arena import Arena
from chaos.faults import Faults
from chaos.moments import lasts
from testkit.kie import FakeKie
from testkit.telegram import FakeTelegram

LOOK_EVERY: Final = 0.02  # seconds


def deeds_of(kie: FakeKie, telegram: FakeTelegram) -> dict[str, Callable[[], int]]:
    """Count what each service does for the outside to see; what stands on everything is a call of Telegram."""

    def calls() -> int:
        return telegram.calls

    return {
        "callback-gateway": lambda: kie.counts()["callbacks_accepted"],
        "submitter": lambda: kie.counts()["tasks"],
        "reconciler": lambda: kie.counts()["polls"],
        **dict.fromkeys(("deliverer", "job-store", "nats", "postgres"), calls),
    }


class Recoveries:
    """Seconds by who was hit; upper bounds, for other faults go on and a rare deed is waited for."""

    def __init__(self, arena: Arena, faults: Faults) -> None:
        self._faults = faults
        self.found: defaultdict[str, list[float]] = defaultdict(list)
        self._deeds = deeds_of(arena.kie, arena.telegram)

    async def watch(self) -> None:
        """Look until cancelled."""
        seen, waiting = 0, []
        while True:
            for at, name in self._faults.healed[seen:]:
                waiting.append((at, name, self._deeds[name]()))
            seen = len(self._faults.healed)
            for each in list(waiting):
                at, name, before = each
                if self._deeds[name]() > before:
                    self.found[name].append(round(time.monotonic() - at, 2))
                    waiting.remove(each)
            await lasts(LOOK_EVERY)
