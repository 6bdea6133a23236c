"""dead.sql: messages nobody could read, and who saw to them."""

from collections.abc import Iterable, Sequence
from typing import Final

from job_store.journal.statements.common import Past, Rows, by_id, each
from job_store.journal.tables import Tables
from job_store.journal.values import Row

SHOWN: Final = "id at durable subject stream_seq reason size settled_as settled_at"


def _sized(letters: Iterable[Row]) -> Rows:
    return [letter | {"size": len(letter["payload"])} for letter in letters]


def list_dead(
    t: Tables, settled: object, reason: str | None, first: int | None, last: int | None, limit: int
) -> Rows:
    found = [
        letter
        for letter in t.dead_letters.all()
        if (settled or letter["settled_at"] is None)
        and (reason is None or reason in letter["reason"])
        and Past(first).is_from(letter["id"])
        and Past(last).is_until(letter["id"])
    ]
    return each(_sized(sorted(found, key=by_id, reverse=True)[:limit]), SHOWN)


def dead_letter(t: Tables, id_: int) -> Rows:
    return each(_sized(t.dead_letters.those([id_])), f"{SHOWN} payload")


def lock_dead(t: Tables, ids: Sequence[int]) -> Rows:
    return each(t.dead_letters.those(sorted(ids)), "id subject payload settled_as")


def settle_dead(t: Tables, ids: Sequence[int], word: str) -> None:
    for letter in t.dead_letters.those(ids):
        t.dead_letters.change(letter, settled_at=t.now, settled_as=word)
