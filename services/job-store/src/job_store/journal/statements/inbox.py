"""inbox.sql: reports as they came, dead letters, floors."""

from collections.abc import Sequence

from job_store.journal.statements.common import Rows, each, is_held, recordset
from job_store.journal.tables import Tables


def known_reports(t: Tables, ids: Sequence[str]) -> Rows:
    return each(t.reports.those(ids), "id")


def vouched_digests(t: Tables, task_ids: Sequence[str]) -> Rows:
    first: dict[str, Rows] = {}
    reports = sorted(t.reports.by("task_id", *task_ids), key=lambda report: report["received_at"])
    for report in reports:
        if report["hmac"] == "match":
            first.setdefault(report["task_id"], each([report], "task_id digest"))
    return [row for rows in first.values() for row in rows]


def insert_reports(t: Tables, written: str) -> None:
    for row in recordset(written):
        t.reports.add(row)


def insert_dead_letter(
    t: Tables, durable: str, subject: str, stream_seq: int, payload: bytes, reason: str
) -> None:
    place = (durable, subject, stream_seq)
    if t.dead_letters.by("dead_letters_durable_subject_stream_seq_key", place):
        return
    t.dead_letters.add(
        {
            "durable": durable,
            "subject": subject,
            "stream_seq": stream_seq,
            "payload": payload,
            "reason": reason,
        }
    )


def keep_floor(t: Tables, durable: str, stream_seq: int) -> None:
    if is_held(t):
        return
    known = t.floors.get(durable)
    if known is None:
        t.floors.add({"durable": durable, "stream_seq": stream_seq})
    else:
        t.floors.change(known, stream_seq=stream_seq)


def floor(t: Tables, durable: str) -> Rows:
    return each(t.floors.those([durable]), "stream_seq")
