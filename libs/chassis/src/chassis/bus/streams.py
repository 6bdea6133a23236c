"""Streams and durables as values: one migration step makes them, every service checks them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol, Self

from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError


class StreamRow(Protocol):
    """A row of whoever owns the table of streams; this library knows no names."""

    @property
    def name(self) -> str: ...
    @property
    def subjects(self) -> tuple[str, ...]: ...
    @property
    def description(self) -> str: ...
    @property
    def max_age(self) -> timedelta | None: ...
    @property
    def max_bytes(self) -> int: ...
    @property
    def duplicate_window(self) -> timedelta: ...
    @property
    def discard(self) -> Literal["new", "old"]: ...


class ConsumerRow(Protocol):
    """A row of the table of durables, each with one subject."""

    @property
    def stream(self) -> str: ...
    @property
    def durable(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def ack_wait(self) -> timedelta: ...
    @property
    def max_ack_pending(self) -> int: ...


class StreamDrift(Exception):
    """Streams or durables are not what the migration makes: nothing is read from them or written."""

    def __init__(self, drift: Sequence[str]) -> None:
        """Name every difference."""
        super().__init__("; ".join(drift))
        self.drift = tuple(drift)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSpec:
    """A file-backed stream with limits retention."""

    name: str
    subjects: tuple[str, ...]
    max_age: timedelta | None
    max_bytes: int
    duplicate_window: timedelta
    description: str
    allow_atomic: bool = True
    discard: Literal["new", "old"] = "new"
    replicas: int = 1

    @classmethod
    def of(cls, row: StreamRow) -> Self:
        """Take a stream from its owner's table."""
        return cls(
            name=row.name,
            subjects=row.subjects,
            max_age=row.max_age,
            max_bytes=row.max_bytes,
            duplicate_window=row.duplicate_window,
            description=row.description,
            discard=row.discard,
        )

    @classmethod
    def among(cls, rows: Iterable[StreamRow], *names: str) -> list[Self]:
        """Take the streams of these names from their owner's table; `KeyError` for one it lacks."""
        table = {row.name: row for row in rows}
        return [cls.of(table[name]) for name in names]

    def config(self) -> api.StreamConfig:
        """Return it in the server's words."""
        return api.StreamConfig(
            name=self.name,
            description=self.description,
            subjects=list(self.subjects),
            retention=api.RetentionPolicy.LIMITS,
            storage=api.StorageType.FILE,
            discard=api.DiscardPolicy(self.discard),
            max_age=self.max_age.total_seconds() if self.max_age is not None else 0,
            max_bytes=self.max_bytes,
            duplicate_window=self.duplicate_window.total_seconds(),
            num_replicas=self.replicas,
            allow_atomic=self.allow_atomic,
            allow_direct=True,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerSpec:
    """A durable pull consumer with explicit acks and endless redelivery."""

    stream: str
    durable: str
    filter_subjects: tuple[str, ...]
    ack_wait: timedelta
    max_ack_pending: int

    @classmethod
    def of(cls, row: ConsumerRow) -> Self:
        """Take a durable from its owner's table."""
        return cls(
            stream=row.stream,
            durable=row.durable,
            filter_subjects=(row.subject,),
            ack_wait=row.ack_wait,
            max_ack_pending=row.max_ack_pending,
        )

    def config(self, *, after: int = 0) -> api.ConsumerConfig:
        """Return it in the server's words, beginning after the given stream sequence."""
        many = len(self.filter_subjects) > 1
        return api.ConsumerConfig(
            name=self.durable,
            durable_name=self.durable,
            deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE if after else api.DeliverPolicy.ALL,
            opt_start_seq=after + 1 if after else None,
            ack_policy=api.AckPolicy.EXPLICIT,
            ack_wait=self.ack_wait.total_seconds(),
            # Past max_deliver a message becomes invisible in lag; attempts are counted by us.
            max_deliver=-1,
            filter_subject=None if many else self.filter_subjects[0],
            filter_subjects=list(self.filter_subjects) if many else None,
            max_ack_pending=self.max_ack_pending,
        )


async def ensure_streams(
    js: JetStreamContext,
    streams: Sequence[StreamSpec],
    consumers: Sequence[ConsumerSpec] = (),
) -> list[str]:
    """Create or update what differs; returns what was done, empty when all stood already.

    The one migration step; services themselves only check.
    """
    done: list[str] = []
    for stream in streams:
        done += await _ensure_stream(js, stream)
    for consumer in consumers:
        done += await _ensure_consumer(js, consumer)
    return done


async def check_streams(
    js: JetStreamContext,
    streams: Sequence[StreamSpec],
    consumers: Sequence[ConsumerSpec] = (),
    *,
    absent: bool = True,
) -> list[str]:
    """Return every difference between what stands and what should, as readable lines.

    Without `absent` a durable that is missing is none: the caller's watchdog makes it.
    """
    drift: list[str] = []
    for stream in streams:
        try:
            found = (await js.stream_info(stream.name)).config
        except NotFoundError:
            drift.append(f"stream {stream.name} is missing")
            continue
        drift += _stream_drift(stream, found)
    for consumer in consumers:
        try:
            standing = (await js.consumer_info(consumer.stream, consumer.durable)).config
        except NotFoundError:
            if absent:
                drift.append(f"durable {consumer.durable} on {consumer.stream} is missing")
            continue
        drift += _consumer_drift(consumer, standing)
    return drift


async def checked(
    js: JetStreamContext,
    streams: Sequence[StreamSpec],
    consumers: Sequence[ConsumerSpec] = (),
    *,
    absent: bool = True,
) -> JetStreamContext:
    """Return what was given once everything stands as it should, or raise `StreamDrift`; see `check_streams`."""
    if drift := await check_streams(js, streams, consumers, absent=absent):
        raise StreamDrift(drift)
    return js


async def purge_below(js: JetStreamContext, stream: str, *, seq: int) -> None:
    """Delete the messages before this stream sequence; for streams that nothing ages out of."""
    await js.purge_stream(stream, seq=seq)


async def _ensure_stream(js: JetStreamContext, spec: StreamSpec) -> list[str]:
    try:
        found = (await js.stream_info(spec.name)).config
    except NotFoundError:
        await js.add_stream(spec.config())
        return [f"stream {spec.name} created"]
    drift = _stream_drift(spec, found)
    if drift:
        await js.update_stream(_updated(spec, found))
    return [f"{line}: updated" for line in drift]


async def _ensure_consumer(js: JetStreamContext, spec: ConsumerSpec) -> list[str]:
    try:
        found = (await js.consumer_info(spec.stream, spec.durable)).config
    except NotFoundError:
        await js.add_consumer(spec.stream, spec.config())
        return [f"durable {spec.durable} on {spec.stream} created"]
    drift = _consumer_drift(spec, found)
    if drift:
        # Where it began cannot change, and the watchdog may have begun it at a floor.
        wanted = spec.config().evolve(
            deliver_policy=found.deliver_policy, opt_start_seq=found.opt_start_seq
        )
        await js.add_consumer(spec.stream, wanted)
    return [f"{line}: updated" for line in drift]


def _updated(spec: StreamSpec, found: api.StreamConfig) -> api.StreamConfig:
    # Only what the spec speaks of: placement, compression and the like stay as they are.
    wanted = spec.config()
    return found.evolve(
        description=wanted.description,
        subjects=wanted.subjects,
        discard=wanted.discard,
        max_age=wanted.max_age,
        max_bytes=wanted.max_bytes,
        duplicate_window=wanted.duplicate_window,
        allow_atomic=wanted.allow_atomic,
        num_replicas=max(spec.replicas, found.num_replicas or 1),
    )


def _stream_drift(spec: StreamSpec, found: api.StreamConfig) -> list[str]:
    wanted = spec.config()
    pairs: dict[str, tuple[object, object]] = {
        "subjects": (sorted(wanted.subjects or ()), sorted(found.subjects or ())),
        "retention": (wanted.retention, found.retention),
        "storage": (wanted.storage, found.storage),
        "discard": (wanted.discard, found.discard),
        "max_age": (wanted.max_age, found.max_age or 0),
        "max_bytes": (wanted.max_bytes, found.max_bytes),
        "duplicate_window": (wanted.duplicate_window, found.duplicate_window),
        # More copies than asked for are the operator's choice, not drift.
        "replicas": (spec.replicas, min(spec.replicas, found.num_replicas or 1)),
        "allow_atomic": (wanted.allow_atomic, bool(found.allow_atomic)),
    }
    return _differences(f"stream {spec.name}", pairs)


def _consumer_drift(spec: ConsumerSpec, found: api.ConsumerConfig) -> list[str]:
    filters = found.filter_subjects or ([found.filter_subject] if found.filter_subject else [])
    pairs: dict[str, tuple[object, object]] = {
        "filter_subjects": (sorted(spec.filter_subjects), sorted(filters)),
        "ack_wait": (spec.ack_wait.total_seconds(), found.ack_wait),
        "ack_policy": (api.AckPolicy.EXPLICIT, found.ack_policy),
        "max_deliver": (-1, found.max_deliver),
        "max_ack_pending": (spec.max_ack_pending, found.max_ack_pending),
    }
    return _differences(f"durable {spec.durable} on {spec.stream}", pairs)


def _differences(subject: str, pairs: dict[str, tuple[object, object]]) -> list[str]:
    return [
        f"{subject}: {name} is {found}, should be {wanted}"
        for name, (wanted, found) in pairs.items()
        if wanted != found
    ]
