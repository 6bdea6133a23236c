"""Lives whose every word is marked, and a look at all that a database holds."""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from contracts.deliveries import RefusalCode, Shown
from contracts.outcomes import Ambiguous, Refused
from contracts.reports import ReportedMedia, ReportState
from contracts.values import FailureClass, MediaKind
from store_kit import Store, callback, create, deliver

MARK = "zebra-and-lamp"
URL = f"https://files.example/{MARK}.png"
BODY = f'{{"prompt": "{MARK}"}}'.encode()


def marked(**fields: Any) -> Any:
    """A request that says the mark wherever a user or a bot may say something."""
    base = {
        "input": {"prompt": MARK, "image_urls": [URL]},
        "caption": f"here is {MARK}",
        "caption_entities": [
            {"type": "text_link", "offset": 0, "length": 4, "url": f"https://e.example/{MARK}"}
        ],
        "buttons": [[{"text": MARK, "url": f"https://e.example/{MARK}"}]],
    }
    return create(**base | fields)


def media() -> tuple[ReportedMedia, ...]:
    """A result that says it too."""
    return (
        ReportedMedia(kind=MediaKind.IMAGE, url=URL),
        ReportedMedia(kind=MediaKind.TEXT, text=f"a poem of {MARK}"),
        ReportedMedia(kind=MediaKind.FILE, text=f"all of {MARK}", name=f"{MARK}.txt"),
    )


def said(job_id: UUID | None, **fields: Any) -> Any:
    """A callback whose body and headers say it."""
    return callback(
        job_id, **{"media": media(), "body": BODY, "headers": {"x-prompt": MARK}} | fields
    )


async def delivered(store: Store, **fields: Any) -> UUID:
    """A job whose result stands in its chat."""
    job_id = await store.running(marked(**fields))
    await store.report(said(job_id))
    for at in range(1, 5):
        await _shown_once(store, first_message=1_000 * at + fields.get("chat_id", 7))
    return job_id


async def _shown_once(store: Store, *, first_message: int) -> None:
    """Play a deliverer whose every answer names a file."""
    for number, ask in enumerate(await store.deliveries()):
        message_id = first_message + 100 * number
        if ask.action.kind == "show" and ask.action.carrier.kind == "fresh":
            await store.carried(ask.attempt.id, message_id)
        result = Shown(message_id=message_id, file_id=f"file-{MARK}-{message_id}")
        await store.delivered(ask, result)


async def failed(store: Store, **fields: Any) -> UUID:
    """A job that KIE failed, in words that quote the prompt."""
    job_id = await store.running(marked(**fields))
    report = said(
        job_id,
        state=ReportState.FAILED,
        error_class=FailureClass.MODERATED,
        error_message=f"{MARK} is not allowed",
    )
    await store.report(report)
    await _shown_once(store, first_message=20_000)
    return job_id


async def refused(store: Store, **fields: Any) -> UUID:
    """A job that KIE did not take, in words that quote the prompt."""
    job_id = await store.made(marked(**fields))
    ask = await store.submission()
    await store.begin(ask.attempt.id)
    await store.submitted(
        ask, Refused(code="422", reason=f"{MARK}?", failure=FailureClass.BAD_INPUT)
    )
    await _shown_once(store, first_message=30_000)
    return job_id


async def parked(store: Store, **fields: Any) -> UUID:
    """A job whose user has blocked the bot."""
    job_id = await store.running(marked(**fields))
    await store.report(said(job_id))
    for ask in await store.deliveries("show"):
        blocked = Refused(code=RefusalCode.BLOCKED, reason=f"blocked: {MARK}")
        await store.delivered(ask, blocked)
    return job_id


async def uncertain(store: Store, **fields: Any) -> UUID:
    """A job of whose one message nobody has known for an hour."""
    alone = {"caption": "", "caption_entities": (), "mode": "send"}
    job_id = await store.running(marked(**alone | fields))
    await store.report(said(job_id, media=media()[1:2]))
    (ask,) = await store.deliveries("send")
    await store.begin(ask.attempt.id)
    await store.delivered(ask, Ambiguous(reason=f"timeout of {MARK}"), holder=ask.attempt.id)
    await store.run(
        "UPDATE effects SET claimed_at = now() - interval '1 hour' WHERE job_id = $1", job_id
    )
    return job_id


async def handed_over(store: Store, **fields: Any) -> UUID:
    """A finished result that the bot wanted shown."""
    job_id = await store.made(deliver(media=media(), caption=MARK, **fields))
    for at in range(1, 5):
        await _shown_once(store, first_message=40_000 + 1_000 * at)
    return job_id


async def everything(store: Store) -> dict[str, str]:
    """All that the database holds, by table; what the relay has published is gone."""
    await store.run("DELETE FROM outbox")
    return {
        table: "\n".join(sorted(_rows(await store.fetch(f"SELECT * FROM {table}"))))
        for table in sorted(await store.table_names())
    }


def _rows(rows: Iterable[Any]) -> Iterator[str]:
    return (repr(dict(row)) for row in rows)


async def telling(store: Store, word: str = MARK) -> set[str]:
    """Name the tables that hold a word somewhere, also as base64."""
    return {table for table, text in (await everything(store)).items() if word in text}
