"""A process that writes into a journal until it is killed, and says what was acknowledged.

`python -m journal_writer ADDRESS` is where such processes come from; `journal_writer.work` is what they do.
"""

import asyncio
import os
import sys
from itertools import count
from pathlib import Path
from typing import Final

from contracts.api import JobView
from job_store.journal.opening import opened
from journal_kit import JournalStore
from store_kit import callback, create
from testkit.processes.nursery import serve

CONDENSED_AT: Final = 60_000  # bytes: a snapshot is being written at most moments
AT_ONCE: Final = 4
PRICE: Final = 3


async def write(directory: Path, life: str) -> None:
    """Pay, ask for jobs and have them answered, side by side, for ever."""
    async with opened(directory, condensed_at=CONDENSED_AT) as journal:
        store = JournalStore(journal.database)
        await store.add_bot("shop")
        keeping = asyncio.create_task(journal.keeper.run(asyncio.Event()))
        await asyncio.gather(
            keeping, *(_live(store, f"{life}-{n}", n) for n in range(1, AT_ONCE + 1))
        )


async def _live(store: JournalStore, name: str, user_id: int) -> None:
    for number in count():
        key = f"{name}-{number}"
        await store.topup(PRICE, user_id=user_id, reference=key)
        _say("paid", key)
        job_id = await store.made(create(key=key, user_id=user_id, chat_id=user_id, price=PRICE))
        _say("asked", key)
        await store.report(callback(job_id))
        view: JobView = await store.job(job_id)
        _say(view.state, key)


def _say(what: str, key: str) -> None:
    """One write, so that a line is whole or not there."""
    os.write(1, f"{what} {key}\n".encode())


if __name__ == "__main__":
    if len(sys.argv) == 2:
        serve(sys.argv[1])
    asyncio.run(write(Path(sys.argv[1]), sys.argv[2]))
