"""A bot on the SDK of whichever Python runs it: asks what lines of JSON on stdin say, answers in lines on stdout.

`python other_bot.py NATS_URL`. It imports the SDK and nothing else, and uses of it what bots use.
"""

import asyncio
import json
import sys
from collections import Counter
from typing import Any

from sendonce import SendOnce, SendOnceError

ENDS = ("delivered", "failed", "undeliverable", "expired", "cancelled")


async def main(nats_url: str) -> None:
    """Answer until stdin ends."""
    heard: Counter[str] = Counter()  # ends by job
    loop = asyncio.get_running_loop()
    async with SendOnce(nats_url, bot="default") as sendonce:
        listening = asyncio.create_task(listen(sendonce, heard))
        asking: set[asyncio.Task[None]] = set()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            task = asyncio.create_task(answer(sendonce, json.loads(line), heard))
            asking.add(task)
            task.add_done_callback(asking.discard)
        listening.cancel()


async def listen(sendonce: SendOnce, heard: Counter[str]) -> None:
    """Hear what becomes of every job, as a bot does."""
    async for event in sendonce.events():
        if event.event in ENDS:
            heard[str(event.job_id)] += 1


async def answer(sendonce: SendOnce, asked: dict[str, Any], heard: Counter[str]) -> None:
    """Do one thing and say what came of it."""
    said: dict[str, Any] = {"no": asked["no"]}
    if asked["verb"] == "heard":
        said["heard"] = dict(heard)
    else:
        try:
            verb = getattr(sendonce, asked["verb"])
            view = await verb(*asked["args"], **asked["named"])
            said["view"] = view.model_dump(mode="json")
        except SendOnceError as refused:
            said["refused"] = [type(refused).__name__, refused.message, refused.hint]
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
