"""Request and reply: verbs of bots, operators and workers, each answered typed, visible as a $SRV service."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import nats.errors
import structlog
from nats.aio.client import Client
from nats.micro import add_service
from nats.micro.request import Request as Call
from nats.micro.service import ServiceConfig
from pydantic import BaseModel, ValidationError

from chassis import clock, tracing
from chassis.coalesce import Coalescer, Outage
from chassis.postgres import is_conflict, is_outage
from contracts import subjects
from contracts.api import Request
from contracts.effects import Begin, Carried
from contracts.message import Value
from contracts.refusals import ErrorReply, Refusal, RefusalName
from job_store.handlers import BATCH, loud
from job_store.store.effects import Effects
from kie.body import storable

log = structlog.get_logger()

QUEUE = "job-store"
AT_ONCE = 256  # requests answered side by side
UNAVAILABLE = Refusal(
    code=RefusalName.UNAVAILABLE,
    message="the store cannot answer now",
    hint="ask again with the same key: nothing happens twice",
    retryable=True,
)

Answer = Callable[[str, Any], Awaitable[Value]]


@dataclass(frozen=True, slots=True)
class Verb:
    """One row of the routing table: what is asked, and who answers (bot, request) → view or refusal."""

    name: str
    request: type[BaseModel]
    answer: Answer


def worker_verbs(effects: Effects) -> list[Verb]:
    """What workers ask before they act; concurrent questions share one transaction."""
    begin = Coalescer(loud(effects.begin), max_batch=BATCH)
    carried = Coalescer(loud(effects.carried), max_batch=BATCH)

    async def on_begin(_bot: str, ask: Begin) -> Value:
        return await begin(ask)

    async def on_carried(_bot: str, ask: Carried) -> Value:
        return await carried(ask)

    return [
        Verb(subjects.EFFECT_BEGIN, Begin, on_begin),
        Verb(subjects.EFFECT_CARRIED, Carried, on_carried),
    ]


class Api:
    """A part: answers every verb until cancelled."""

    name = "api"

    def __init__(
        self, client: Client, *, bots: list[Verb], operators: list[Verb], workers: list[Verb]
    ) -> None:
        self._client = client
        self._routes = (
            [(subjects.api("*", verb.name), verb) for verb in bots]
            + [(subjects.ops(verb.name), verb) for verb in operators]
            + [(verb.name, verb) for verb in workers]
        )
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._running: set[asyncio.Task[None]] = set()

    async def run(self, ready: asyncio.Event) -> None:
        """Serve until cancelled; requests being answered are finished."""
        config = ServiceConfig(
            name="job-store", version="0.1.0", description="judge of every job", queue_group=QUEUE
        )
        async with AsyncExitStack() as stack:
            service = await add_service(self._client, config)
            stack.push_async_callback(self._finish)
            stack.push_async_callback(service.stop)
            for subject, verb in self._routes:
                await service.add_endpoint(
                    name=subject.replace(".", "-").replace("*", "bot"),
                    subject=subject,
                    handler=self._spawn(verb),
                )
            ready.set()
            await asyncio.get_running_loop().create_future()

    def _spawn(self, verb: Verb) -> Callable[[Call], Awaitable[None]]:
        # nats-py calls a handler for one message at a time: the work goes on in a task of its own.
        async def spawn(call: Call) -> None:
            await self._slots.acquire()
            task = asyncio.create_task(self._serve(verb, call))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            task.add_done_callback(lambda _done: self._slots.release())

        return spawn

    async def _finish(self) -> None:
        if self._running:
            await asyncio.wait(self._running)

    async def _serve(self, verb: Verb, call: Call) -> None:
        cause = tracing.carried(call.headers)
        if cause is None:
            await self._reply(verb, call)
            return
        with tracing.span(f"answer {verb.name}", tracing.Kind.SERVER, parent=cause):
            await self._reply(verb, call)

    async def _reply(self, verb: Verb, call: Call) -> None:
        answer = await self._answer(verb, call)
        reply = ErrorReply(error=answer) if isinstance(answer, Refusal) else answer
        try:
            await call.respond(reply.model_dump_json(exclude_none=True).encode())
        except (nats.errors.Error, OSError) as problem:
            # The asker hears nothing and asks again with the same key.
            log.warning("api.reply_lost", verb=verb.name, problem=type(problem).__name__)

    async def _answer(self, verb: Verb, call: Call) -> Value:
        bot = call.subject.split(".")[1] if call.subject.startswith("api.") else ""
        try:
            ask = verb.request.model_validate_json(call.data)
        except ValidationError as invalid:
            return _invalid(invalid)
        if isinstance(ask, Request) and ask.not_after < clock.SYSTEM.now():
            return Refusal(
                code=RefusalName.DEADLINE_PASSED,
                message="the request came after its deadline",
                hint="nothing was changed; ask again with the same key",
                retryable=True,
            )
        try:
            return await verb.answer(bot, ask)
        except Outage:
            return UNAVAILABLE
        except Exception as problem:
            if not (is_outage(problem) or is_conflict(problem)):
                log.exception("api.failed", verb=verb.name, bot=bot)
            return UNAVAILABLE


def _invalid(invalid: ValidationError) -> Refusal:
    wrong = [
        f"{'.'.join(map(str, error['loc'])) or 'request'}: {error['msg']}"
        for error in invalid.errors()
    ]
    return Refusal(
        code=RefusalName.INVALID_REQUEST,
        # Names of unknown fields and pieces of their values are the asker's own text.
        message=storable("; ".join(wrong))[:1_500],
        hint="correct the fields named; nothing was changed",
    )
