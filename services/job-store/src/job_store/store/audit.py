"""Changes by hand: one transaction that is written with who and why, or given up when it was only tried."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar, cast
from uuid import UUID

from chassis.queries import load
from chassis.storage import Connection
from contracts.message import Value
from contracts.repairs import AuditLine, AuditView, ListAudit, Repair
from job_store.store.rows import rowset
from job_store.store.unit import Transaction, Units

sql = load("job_store.store", "audit.sql")

UNSAID: Final = "nobody said"

V = TypeVar("V", bound=Value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """One thing that was changed."""

    target: str
    job_id: UUID | None = None
    detail: str = ""


class _OnlyTriedError(Exception):
    """The way out of a transaction that must change nothing, with the answer."""

    def __init__(self, view: Value) -> None:
        super().__init__()
        self.view = view


async def changed(units: Units, ask: Repair, decide: Callable[[Transaction], Awaitable[V]]) -> V:
    """Let somebody decide in one transaction; of a dry run only the answer stays."""
    try:
        async with units.begin() as tx:
            view = await decide(tx)
            if ask.dry_run:
                raise _OnlyTriedError(view)  # noqa: TRY301 - nothing but an exception ends it unsaved
            return view
    except _OnlyTriedError as tried:
        return cast("V", tried.view)


class Signed(Protocol):
    """A request that says who asks, and why."""

    @property
    def who(self) -> str: ...
    @property
    def why(self) -> str: ...


async def audit(connection: Connection, ask: Signed, verb: str, told: Sequence[Audited]) -> None:
    """Write down who changed these, and why, in the transaction that changes them."""
    if told:
        who, why = ask.who or UNSAID, ask.why or UNSAID
        await connection.execute(sql.audit, who, why, verb, rowset(sql.audit, told))


class Audit:
    def __init__(self, units: Units) -> None:
        self._units = units

    async def list(self, ask: ListAudit) -> AuditView:
        async with self._units.database.connection() as connection:
            rows = await connection.fetch(sql.list_audit, ask.job_id, ask.limit)
        return AuditView(lines=tuple(AuditLine(**dict(row)) for row in rows))
