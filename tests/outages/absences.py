"""What can be away, in which way, and how it comes back."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from ensemble import SERVICES, Ensemble
from testkit.kie import Outage
from testkit.servers import NatsServer, PostgresServer
from testkit.telegram import Mode

FOR_EVER: Final = 3_600.0  # seconds; a call is given up long before


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A running system and the servers under it."""

    running: Ensemble
    nats: NatsServer
    postgres: PostgresServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """One dependency, away in one way."""

    name: str
    leave: Callable[[Scene], Awaitable[None]]
    come_back: Callable[[Scene], Awaitable[None]]
    unready: frozenset[str]  # whose /readyz must say so: who needs it for every deed


async def _freeze(server: NatsServer | PostgresServer) -> None:
    server.pause()


async def _thaw(server: NatsServer | PostgresServer) -> None:
    server.resume()


async def _kie(scene: Scene, outage: Outage) -> None:
    scene.running.kie.switches.outage = outage


async def _telegram_hangs(scene: Scene) -> None:
    scene.running.telegram.faults.plan(Mode.HANG_BEFORE_COMMIT, times=None, seconds=FOR_EVER)


async def _telegram_answers(scene: Scene) -> None:
    scene.running.telegram.faults.clear()


EVERYBODY: Final = frozenset(SERVICES)
JUDGE: Final = frozenset({"job_store"})
# Nobody stops taking work because KIE or Telegram is away: what they ask for waits, and says so.
NOBODY: Final[frozenset[str]] = frozenset()

ABSENCES: Final = (
    Absence(
        name="nats-killed",
        leave=lambda scene: scene.nats.kill(),
        come_back=lambda scene: scene.nats.start(),
        unready=EVERYBODY,
    ),
    Absence(
        name="nats-frozen",
        leave=lambda scene: _freeze(scene.nats),
        come_back=lambda scene: _thaw(scene.nats),
        unready=EVERYBODY,
    ),
    Absence(
        name="postgres-killed",
        leave=lambda scene: scene.postgres.kill(),
        come_back=lambda scene: scene.postgres.start(),
        unready=JUDGE,
    ),
    Absence(
        name="postgres-frozen",
        leave=lambda scene: _freeze(scene.postgres),
        come_back=lambda scene: _thaw(scene.postgres),
        unready=JUDGE,
    ),
    Absence(
        name="kie-refuses",
        leave=lambda scene: scene.running.links["kie"].refuse(),
        come_back=lambda scene: scene.running.links["kie"].listen(),
        unready=NOBODY,
    ),
    Absence(
        name="kie-hangs",
        leave=lambda scene: _kie(scene, Outage.HANG),
        come_back=lambda scene: _kie(scene, Outage.NONE),
        unready=NOBODY,
    ),
    Absence(
        name="telegram-refuses",
        leave=lambda scene: scene.running.links["telegram"].refuse(),
        come_back=lambda scene: scene.running.links["telegram"].listen(),
        unready=NOBODY,
    ),
    Absence(
        name="telegram-hangs",
        leave=_telegram_hangs,
        come_back=_telegram_answers,
        unready=NOBODY,
    ),
)
