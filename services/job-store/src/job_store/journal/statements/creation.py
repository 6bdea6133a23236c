"""creation.sql: keys and status messages that are taken."""

from collections.abc import Sequence

from job_store.journal.statements.common import Rows, each
from job_store.journal.tables import Tables


def jobs_by_key(t: Tables, bots: Sequence[str], keys: Sequence[str]) -> Rows:
    found = t.jobs.by("jobs_bot_key_key", *zip(bots, keys, strict=True))
    return each(found, "id bot key digest")


def status_messages_taken(
    t: Tables, bots: Sequence[str], chats: Sequence[int], messages: Sequence[int]
) -> Rows:
    asked = list(zip(bots, chats, messages, strict=True))
    jobs = t.jobs.by("jobs_status_message", *asked)
    taken = {(job["bot"], job["chat_id"], job["status_message_id"]) for job in jobs}
    taken |= {place for place in asked if t.carriers.get(place) is not None}
    return [{"bot": bot, "chat_id": chat, "message_id": message} for bot, chat, message in taken]


def now(t: Tables) -> Rows:
    return [{"now": t.now}]
