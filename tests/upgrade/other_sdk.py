"""The SDK of another version, with the methods a load needs: each call is made by a bot that runs there."""

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

import sendonce
from contracts.api import JobView, WalletView
from contracts.message import Value
from testkit.processes.service import environment
from upgrade.versions import Version

BOT: Final = Path(__file__).with_name("other_bot.py")
LONGEST: Final = 2**22  # bytes of a line: the ends of all jobs

View = TypeVar("View", bound=Value)


class OtherSdk:
    """Speaks as `sendonce.SendOnce` does; refusals are this version's errors of the same name."""

    def __init__(self, bot: Process) -> None:
        self._bot = bot
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def topup(self, *args: object, **named: object) -> WalletView:
        return await self._view(WalletView, "topup", *args, **named)

    async def create(self, **named: object) -> JobView:
        return await self._view(JobView, "create", **named)

    async def expect(self, **named: object) -> JobView:
        return await self._view(JobView, "expect", **named)

    async def attach(self, job_id: UUID, task_id: str) -> JobView:
        return await self._view(JobView, "attach", str(job_id), task_id)

    async def heard(self) -> dict[UUID, int]:
        """Return how often the end of each job was heard of."""
        said = await self._ask("heard")
        return {UUID(job_id): times for job_id, times in said["heard"].items()}

    async def read(self) -> None:
        """Hand on what the bot answers, until it ends."""
        assert self._bot.stdout is not None
        while line := await self._bot.stdout.readline():
            said = json.loads(line)
            waiting = self._waiting.pop(said["no"])
            if not waiting.done():
                waiting.set_result(said)
        for each in self._waiting.values():
            if not each.done():  # whoever asked may have been cancelled
                each.set_exception(ConnectionError("the bot of the other version has ended"))

    async def _view(self, cls: type[View], verb: str, *args: object, **named: object) -> View:
        said = await self._ask(verb, *args, **named)
        if "refused" in said:
            name, message, hint = said["refused"]
            raise getattr(sendonce, name, sendonce.SendOnceError)(message, hint)
        return cls.model_validate(said["view"])

    async def _ask(self, verb: str, *args: object, **named: object) -> dict[str, Any]:
        assert self._bot.stdin is not None
        no = next(self._numbers)
        self._waiting[no] = asyncio.get_running_loop().create_future()
        asked = {"no": no, "verb": verb, "args": args, "named": named}
        self._bot.stdin.write(json.dumps(asked).encode() + b"\n")
        await self._bot.stdin.drain()
        return await self._waiting[no]


@asynccontextmanager
async def other_sdk(version: Version, *, nats_url: str, log: Path) -> AsyncIterator[OtherSdk]:
    """Run a bot on that version's SDK for as long as the block lasts."""
    with log.open("ab") as said:
        bot = await asyncio.create_subprocess_exec(
            *(str(version.python), "-P", str(BOT), nats_url),
            env=environment({"PYTHONPATH": ""}),
            cwd=version.root,
            stdin=PIPE,
            stdout=PIPE,
            stderr=said,
            limit=LONGEST,
        )
    sdk = OtherSdk(bot)
    reading = asyncio.create_task(sdk.read())
    try:
        yield sdk
    finally:
        assert bot.stdin is not None
        bot.stdin.close()
        if bot.returncode is None:
            bot.kill()
        await bot.wait()
        await reading
