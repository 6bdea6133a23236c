"""Dead letters: looked at, put onto the bus again under a new id, or said to need nothing."""

from chassis.queries import load
from contracts.refusals import Refusal, RefusalName
from contracts.repairs import (
    DeadLettersView,
    DeadStory,
    DeadView,
    ListDead,
    SettledDead,
    SettledDeadView,
    SettleDead,
    ShowDead,
)
from contracts.streams import stream_of
from job_store.store.audit import Audited, audit, changed
from job_store.store.rows import Row
from job_store.store.unit import Transaction, Units

sql = load("job_store.store", "dead.sql")

SHOWN = 100_000  # characters of a payload


class Dead:
    def __init__(self, units: Units) -> None:
        self._units = units

    async def list(self, ask: ListDead) -> DeadLettersView:
        async with self._units.database.connection() as connection:
            rows = await connection.fetch(
                sql.list_dead, ask.settled, ask.reason, ask.first, ask.last, ask.limit
            )
        return DeadLettersView(letters=tuple(_view(row) for row in rows))

    async def show(self, ask: ShowDead) -> DeadStory | Refusal:
        async with self._units.database.connection() as connection:
            row = await connection.fetchrow(sql.dead_letter, ask.id)
        if row is None:
            return Refusal(
                code=RefusalName.INVALID_REQUEST,
                message=f"no dead letter {ask.id}",
                hint="sendonce dead list",
            )
        text = row["payload"].decode("utf-8", "backslashreplace").replace("\x00", "\\x00")
        return DeadStory(letter=_view(row), payload=text[:SHOWN])

    async def settle(self, ask: SettleDead) -> SettledDeadView:
        """Replay or discard; a replayed one that dies again is a new dead letter."""

        async def decide(tx: Transaction) -> SettledDeadView:
            rows = {row["id"]: row for row in await tx.connection.fetch(sql.lock_dead, ask.ids)}
            done = [_settled(rows.get(id_), id_, ask.settle) for id_ in ask.ids]
            settled = [rows[one.id] for one in done if one.did]
            if ask.settle == "replay":
                tx.replayed += [
                    (row["subject"], f"replay:{row['id']}", row["payload"]) for row in settled
                ]
            word = "replayed" if ask.settle == "replay" else "discarded"
            await tx.connection.execute(sql.settle_dead, [row["id"] for row in settled], word)
            told = [
                Audited(target=f"dead letter {row['id']}", detail=row["subject"]) for row in settled
            ]
            await audit(tx.connection, ask, f"dead.{ask.settle}", told)
            return SettledDeadView(letters=tuple(done))

        return await changed(self._units, ask, decide)


def _settled(row: Row | None, id_: int, how: str) -> SettledDead:
    reason = ""
    if row is None:
        reason = "there is no such dead letter"
    elif row["settled_as"] is not None:
        reason = f"it was {row['settled_as']} before"
    elif how == "replay" and not _is_stored(row["subject"]):
        reason = f"no stream takes {row['subject']} any more"
    return SettledDead(id=id_, did=not reason, reason=reason)


def _is_stored(subject: str) -> bool:
    try:
        stream_of(subject)
    except KeyError:
        return False
    return True


def _view(row: Row) -> DeadView:
    return DeadView(
        id=row["id"],
        at=row["at"],
        durable=row["durable"],
        subject=row["subject"],
        stream_seq=row["stream_seq"],
        reason=row["reason"],
        size=row["size"],
        settled_as=row["settled_as"],
        settled_at=row["settled_at"],
    )
