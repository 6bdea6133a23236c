"""Which fault strikes what and when: drawn from a seed before anything starts, so that it can be drawn again."""

from dataclasses import asdict, dataclass
from random import Random
from typing import Final

SERVICES: Final = ("callback-gateway", "job-store", "submitter", "deliverer", "reconciler")
REPLICAS: Final = 2
PROCESSES: Final = tuple(f"{name}-{number}" for name in SERVICES for number in (1, 2))
LINKS: Final = ("nats", "postgres", "gateway", "kie", "telegram")
DURABLES: Final = (
    "job-store-reports",
    "job-store-submissions",
    "job-store-deliveries",
    "submitter",
    "deliverer",
    "reconciler",
)

KILL_EVERY: Final = 3.6  # seconds: 33 in two minutes
OTHER_EVERY: Final = 3.0
CALM: Final = (0.04, 0.92)  # of the run: when the first fault may strike, and the last
ONCE: Final = {"postgres-backed-up": 0.30, "postgres-restored": 0.36, "jetstream-lost": 0.72}
STILL: Final = 6.0  # seconds around each of those in which no other server fails


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """One fault: when it comes, whom it hits and for how long."""

    at: float
    kind: str
    target: str = ""
    seconds: float = 0.0

    def as_json(self) -> dict[str, object]:
        """Return what a report keeps of it."""
        return asdict(self)


# Kind → targets, and how long it lasts; the weight is how often it is drawn.
SERVER_FAULTS: Final = ("nats-killed", "nats-restarted", "postgres-killed", "postgres-restarted")
WEIGHTS: Final = {
    "process-paused": 5,
    "link-cut": 5,
    "link-slow": 3,
    "link-silent": 3,
    "link-deaf": 3,
    "link-half-closed": 3,
    "commit-reply-lost": 4,
    "puback-lost": 4,
    "consumer-removed": 2,
    "nats-killed": 2,
    "nats-restarted": 1,
    "nats-paused": 1,
    "postgres-killed": 2,
    "postgres-restarted": 1,
    "postgres-paused": 1,
    "kie-refuses": 1,
    "kie-hangs": 1,
    "kie-repeats": 2,
    "kie-mute": 2,
    "telegram-refuses": 2,
}
# Which of the sixty faults in docs/reliability.md a kind is.
FAULTS: Final = {
    "process-killed": "fault_01_02_03_26_37_41_42_43",
    "process-paused": "fault_48",
    "link-cut": "fault_28",
    "commit-reply-lost": "fault_27",
    "puback-lost": "fault_02",
    "nats-killed": "fault_04_13",
    "postgres-killed": "fault_28",
    "postgres-restarted": "fault_28",
    "postgres-restored": "fault_59",
    "jetstream-lost": "fault_25",
    "consumer-removed": "fault_20",
    "nats-paused": "fault_22",
    "kie-refuses": "fault_54",
    "kie-hangs": "fault_54",
    "kie-repeats": "fault_06",
    "kie-mute": "fault_09",
    "telegram-refuses": "fault_45",
}
LONGEST_PAUSE: Final = 20.0  # seconds; longer than any lease of a call to Telegram


def draw(*, seconds: float, seed: int) -> tuple[Strike, ...]:
    """Draw a run's faults in the order they come."""
    dice = Random(f"chaos:{seed}")  # reproducible, not secret
    first, last = (share * seconds for share in CALM)
    once = [Strike(at=share * seconds, kind=kind) for kind, share in ONCE.items()]
    kills = [
        Strike(at=at, kind="process-killed", target=dice.choice(PROCESSES))
        for at in _moments(first, last, every=KILL_EVERY, dice=dice)
    ]
    others = [_other(at, dice) for at in _moments(first, last, every=OTHER_EVERY, dice=dice)]
    kept = [strike for strike in others if not _disturbs(strike, once)]
    return tuple(sorted([*once, *kills, *kept], key=lambda strike: strike.at))


def _moments(first: float, last: float, *, every: float, dice: Random) -> list[float]:
    count = int((last - first) / every)
    return [round(first + (n + dice.random()) * every, 2) for n in range(count)]


def _other(at: float, dice: Random) -> Strike:
    kind = dice.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0]
    subject, _, does = kind.partition("-")
    target, seconds = "", round(dice.uniform(0.5, 4.0), 2)
    if subject == "process":
        target = dice.choice(PROCESSES)
        seconds = LONGEST_PAUSE if dice.random() < 1 / 4 else seconds
    elif subject == "link":
        target = dice.choice(LINKS)
        seconds = 0.0 if does in ("cut", "half-closed") else seconds
    elif subject == "consumer":
        target, seconds = dice.choice(DURABLES), 0.0
    elif does in ("killed", "restarted", "reply-lost", "lost"):
        seconds = round(dice.uniform(0.0, 2.0), 2)
    return Strike(at=at, kind=kind, target=target, seconds=seconds)


def _disturbs(strike: Strike, once: list[Strike]) -> bool:
    """Say whether a fault of a server would meet one that comes once and takes the server away itself."""
    is_servers = strike.kind.startswith(("nats-", "postgres-"))
    return is_servers and any(abs(strike.at - one.at) < STILL for one in once)
