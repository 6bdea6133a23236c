"""How each fault strikes and heals. A server is away for one fault at a time; links and processes are not asked."""

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from nats.js.errors import Error as JetStreamError

from chaos.arena import Arena
from chaos.moments import lasts
from chaos.restore import Restore, back_up, put_back, resumed
from chaos.schedule import Strike
from contracts import streams
from job_store.migrate import migrate_bus
from sendonce_cli.asking import Desk
from testkit.kie import Outage
from testkit.links import State

STATES: Final = {"slow": State.SLOW, "silent": State.SILENT, "deaf": State.DEAF}
DELAY: Final = 0.15  # seconds each chunk waits in a slow link
COPIES: Final = 3
UNREAD: Final = 30.0  # seconds a stored callback may wait for its reader at the worst

Strikes = Callable[["Faults", Strike], Awaitable[None]]


class Faults:
    """Strikes an arena; `struck` counts by kind, `healed` says when a server was back."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        self.struck: Counter[str] = Counter()
        self.healed: list[tuple[float, str]] = []  # monotonic seconds
        self._servers = {"nats": asyncio.Lock(), "postgres": asyncio.Lock()}
        self._processes: set[str] = set()
        self._bus_lost_at = self._bus_back_at = 0.0  # Unix seconds
        self.restore = Restore()

    async def strike(self, strike: Strike) -> None:
        """Let one fault happen, from its beginning to its end."""
        subject = strike.kind.partition("-")[0]
        await BY_SUBJECT[subject](self, strike)
        self.struck[strike.kind] += 1

    def heal(self) -> None:
        """Take back whatever may still last."""
        for link in self.arena.links.values():
            link.set(State.OPEN)
        self.arena.kie.switches.outage = Outage.NONE
        self.arena.kie.switches.suppress_all_callbacks = False
        self.arena.kie.switches.copies = 1
        self.arena.commit_replies.wanted = self.arena.pubacks.wanted = 0

    def went_down_with_bus(self, answered_at: float) -> bool:
        """Claim that a callback may have been stored, and not yet read, when the bus was lost."""
        return self._bus_lost_at - UNREAD < answered_at <= self._bus_back_at

    # -- processes -----------------------------------------------------------------------------------

    async def process(self, strike: Strike) -> None:
        """Kill or freeze one replica; one that is frozen already is left alone."""
        keeper, name = self.arena.keeper, strike.target
        if name in self._processes:
            return
        if strike.kind == "process-killed":
            await keeper.kill(name)
            self.healed.append((time.monotonic(), name.rpartition("-")[0]))
            return
        self._processes.add(name)
        try:
            with suppress(ProcessLookupError):
                keeper.processes[name].pause()
            await lasts(strike.seconds)
        finally:
            keeper.processes[name].resume()
            self._processes.discard(name)

    # -- servers -------------------------------------------------------------------------------------

    async def nats(self, strike: Strike) -> None:
        """Kill, restart or freeze NATS."""
        async with self._away("nats"):
            match strike.kind:
                case "nats-killed":
                    await self.arena.nats.kill()
                    await lasts(strike.seconds)
                    await self.arena.nats.start()
                case "nats-restarted":
                    await self.arena.nats.restart()
                case _:
                    self.arena.nats.pause()
                    await lasts(strike.seconds)
                    self.arena.nats.resume()

    async def postgres(self, strike: Strike) -> None:
        """Kill, restart, freeze or copy Postgres, or put the copy back."""
        took_back = False
        async with self._away("postgres"):
            match strike.kind:
                case "postgres-backed-up":
                    await back_up(self.arena.postgres)
                case "postgres-restored":
                    took_back = await put_back(self.arena.postgres)
                case "postgres-killed":
                    await self.arena.postgres.kill()
                    await lasts(strike.seconds)
                    await self.arena.postgres.start()
                case "postgres-restarted":
                    await self.arena.postgres.restart()
                case _:
                    self.arena.postgres.pause()
                    await lasts(strike.seconds)
                    self.arena.postgres.resume()
        if strike.kind == "postgres-restored":
            self.restore = await resumed(Desk(self.arena.direct), took_back=took_back)

    @asynccontextmanager
    async def _away(self, server: str) -> AsyncIterator[None]:
        async with self._servers[server]:
            yield
            self.healed.append((time.monotonic(), server))

    async def jetstream(self, _strike: Strike) -> None:
        """Lose everything JetStream kept; whoever operates it makes the streams again."""
        nats = self.arena.nats
        async with self._away("nats"):
            await nats.kill()
            self._bus_lost_at = time.time()
            shutil.rmtree(nats.data_directory / "store")
            await nats.start()
            # Without streams nothing is stored: what was heard of as stored until now, the old bus had.
            self._bus_back_at = time.time()
            await migrate_bus(nats.url)

    # -- links ---------------------------------------------------------------------------------------

    async def link(self, strike: Strike) -> None:
        """Cut, half-close, slow or silence a link."""
        link, does = self.arena.links[strike.target], strike.kind.partition("-")[2]
        if does == "cut":
            link.cut()
        elif does == "half-closed":
            link.half_close()
        else:
            link.set(STATES[does], delay=DELAY)
            await lasts(strike.seconds)
            link.set(State.OPEN)

    async def commit(self, _strike: Strike) -> None:
        """Commit, and let nobody know."""
        self.arena.commit_replies.steal()

    async def puback(self, _strike: Strike) -> None:
        """Store a message, and let its publisher hear nothing."""
        self.arena.pubacks.steal()

    # -- the bus -------------------------------------------------------------------------------------

    async def consumer(self, strike: Strike) -> None:
        """Delete a durable while it is read."""
        stream = streams.CONSUMER[strike.target].stream
        # NATS may be away, or the durable be gone already: then there is nothing to remove.
        with suppress(JetStreamError, TimeoutError, OSError):
            await self.arena.direct.jetstream(timeout=1).delete_consumer(stream, strike.target)

    # -- the outside ---------------------------------------------------------------------------------

    async def kie(self, strike: Strike) -> None:
        """KIE refuses, hangs, repeats every callback or sends none."""
        switches = self.arena.kie.switches
        match strike.kind:
            case "kie-refuses" | "kie-hangs":
                switches.outage = Outage.REFUSE if strike.kind == "kie-refuses" else Outage.HANG
            case "kie-repeats":
                switches.duplicate_all(COPIES, parallel=True)
            case _:
                switches.suppress_all_callbacks = True
        await lasts(strike.seconds)
        match strike.kind:
            case "kie-refuses" | "kie-hangs":
                switches.outage = Outage.NONE
            case "kie-repeats":
                switches.duplicate_all(1)
            case _:
                switches.suppress_all_callbacks = False

    async def telegram(self, strike: Strike) -> None:
        """Telegram takes no connection."""
        await self.arena.telegram.refuse(strike.seconds)


BY_SUBJECT: Final[dict[str, Strikes]] = {
    "process": Faults.process,
    "nats": Faults.nats,
    "postgres": Faults.postgres,
    "jetstream": Faults.jetstream,
    "link": Faults.link,
    "commit": Faults.commit,
    "puback": Faults.puback,
    "consumer": Faults.consumer,
    "kie": Faults.kie,
    "telegram": Faults.telegram,
}
