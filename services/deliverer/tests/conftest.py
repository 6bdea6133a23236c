"""A sandbox Telegram, and the service on a JetStream of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import nats
import pytest
from aiohttp import web
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import SecretStr

from chassis import bus, clock, lifecycle
from chassis.clock import SYSTEM
from contracts import streams, subjects
from contracts.deliveries import (
    Action,
    Content,
    DeliveryOutcome,
    DeliveryRequested,
    Existing,
    Fresh,
    PostStatus,
    Send,
    SendPart,
    Show,
    Stage,
)
from contracts.effects import Begin, Carried, Go, Stop
from contracts.message import Attempt
from contracts.values import MediaKind
from deliverer import app, effects
from deliverer.domain import edits, posts, sends
from deliverer.settings import Settings
from deliverer.telegram.aiogram_import import load_aiogram
from deliverer_media import MP4, PNG, MediaHost
from testkit.telegram import FakeTelegram, Limits

load_aiogram(fast=True)

TOKEN = "424242:sandbox-token-of-the-deliverer"
BOT_ID = 424242
CHAT = 1001
SOON = 15.0  # seconds a fact may take to become true


@pytest.fixture
async def sandbox() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(limits=Limits.off(), hang_seconds=0.3) as telegram:
        telegram.add_bot(TOKEN)
        yield telegram


@pytest.fixture
async def media_host() -> AsyncIterator[MediaHost]:
    host = MediaHost()
    server = web.Application()
    server.router.add_get("/{path:.*}", host.serve)
    runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield host
    await runner.cleanup()


Answerer = Callable[[Carried], Go | Stop | None]
BeginAnswerer = Callable[[Begin], Go | Stop | None]


def go(_asked: Carried) -> Go:
    return Go(lease=15)


def begin(_asked: Begin) -> Go:
    return Go(lease=90)


@dataclass
class Bench:
    """The running deliverer, and the ends of the bus around it."""

    client: Client
    telegram: FakeTelegram
    media: MediaHost
    outcomes: list[DeliveryOutcome] = field(default_factory=list)
    asked: list[Carried] = field(default_factory=list)
    answerer: Answerer = go
    begun: list[Begin] = field(default_factory=list)
    begin_answerer: BeginAnswerer = begin
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def ask(self, request: DeliveryRequested, *, times: int = 1) -> None:
        """Publish the same request, as often as asked, past any deduplication."""
        js = self.client.jetstream()
        for _ in range(times):
            headers = {"Nats-Msg-Id": str(uuid4())}
            await js.publish(subjects.DELIVERY_REQUESTED, request.wire(), headers=headers)

    async def outcome(self, request: DeliveryRequested) -> DeliveryOutcome:
        """Publish a request and return the first outcome of its attempt."""
        await self.ask(request)
        return await self.told(request)

    async def told(self, request: DeliveryRequested) -> DeliveryOutcome:
        def first() -> DeliveryOutcome | None:
            mine = (one for one in self.outcomes if one.attempt_id == request.attempt.id)
            return next(mine, None)

        async with asyncio.timeout(SOON), self.news:
            await self.news.wait_for(lambda: first() is not None)
        found = first()
        assert found is not None
        return found

    async def until(self, fact: Callable[[], bool]) -> None:
        async with asyncio.timeout(SOON), self.news:
            await self.news.wait_for(fact)

    async def on_outcome(self, msg: Msg) -> None:
        async with self.news:
            self.outcomes.append(DeliveryOutcome.read(msg.data))
            self.news.notify_all()

    async def on_carried(self, msg: Msg) -> None:
        asked = Carried.model_validate_json(msg.data)
        answer = self.answerer(asked)
        async with self.news:
            self.asked.append(asked)
            self.news.notify_all()
        if answer is not None:
            await msg.respond(answer.model_dump_json().encode())

    async def on_begin(self, msg: Msg) -> None:
        asked = Begin.model_validate_json(msg.data)
        answer = self.begin_answerer(asked)
        async with self.news:
            self.begun.append(asked)
            self.news.notify_all()
        if answer is not None:
            await msg.respond(answer.model_dump_json().encode())


def stream_specs() -> list[bus.StreamSpec]:
    return [
        bus.StreamSpec.of(one)
        for one in streams.STREAMS
        if one.name in (streams.DELIVERIES, streams.OUTCOMES)
    ]


def consumer_spec() -> bus.ConsumerSpec:
    one = streams.CONSUMER["deliverer"]
    return bus.ConsumerSpec.of(one)


@pytest.fixture
async def client(nats_url: str) -> AsyncIterator[Client]:
    """A client of a JetStream on which the deliverer's streams stand."""
    connection = await nats.connect(nats_url)
    await bus.ensure_streams(connection.jetstream(), stream_specs(), [consumer_spec()])
    yield connection
    await connection.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter waits of ours; Telegram's own stay what they are."""
    for module in (edits, posts, sends):
        monkeypatch.setattr(module, "SLOW_PAUSE", 0.1)
    monkeypatch.setattr(effects, "ONE_TRY", 0.5)


@pytest.fixture
async def ends(client: Client, sandbox: FakeTelegram, media_host: MediaHost, quick: None) -> Bench:
    """Everything around a deliverer, and none."""
    made = Bench(client=client, telegram=sandbox, media=media_host)
    await client.subscribe(subjects.DELIVERY_OUTCOME, cb=made.on_outcome)
    await client.subscribe(subjects.EFFECT_CARRIED, cb=made.on_carried)
    await client.subscribe(subjects.EFFECT_BEGIN, cb=made.on_begin)
    return made


@pytest.fixture
async def bench(nats_url: str, ends: Bench, sandbox: FakeTelegram) -> AsyncIterator[Bench]:
    chosen = Settings(
        nats_url=nats_url,
        bot_token=SecretStr(TOKEN),
        telegram_api_url=sandbox.url,
        media_from_loopback=True,
    )
    async with lifecycle.service(app.build, chosen, name="deliverer"):
        yield ends


@dataclass
class Ask:
    """Builds requests that are valid by default."""

    chat_id: int = CHAT

    def __call__(
        self,
        action: Action,
        *,
        chat_id: int | None = None,
        lease: float = 15.0,
        not_after: datetime | None = None,
        attempt_id: UUID | None = None,
        attempt_no: int = 1,
        token_ref: str = "default",
        thread_id: int | None = None,
        reply_to: int | None = None,
        protect: bool = False,
    ) -> DeliveryRequested:
        now = SYSTEM.now()
        attempt = Attempt(
            id=attempt_id or uuid4(),
            no=attempt_no,
            lease=lease,
            not_after=not_after or now + timedelta(seconds=lease),
        )
        return DeliveryRequested(
            id=f"delivery:{attempt.id}",
            at=now,
            attempt=attempt,
            job_id=uuid4(),
            bot="default",
            token_ref=token_ref,
            chat_id=chat_id or self.chat_id,
            thread_id=thread_id,
            reply_to=reply_to,
            protect=protect,
            action=action,
        )


@pytest.fixture
def ask() -> Ask:
    return Ask()


@dataclass
class Make:
    """Builds actions."""

    png: bytes = PNG
    mp4: bytes = MP4

    def status(self, text: str = "Working: image · job 7F3K") -> PostStatus:
        return PostStatus(text=text)

    def fresh(self, content: Content, *, text: str = "Ready: image · job 7F3K") -> Show:
        return Show(part_id=uuid4(), content=content, carrier=Fresh(text=text))

    def existing(self, content: Content, message_id: int) -> Show:
        return Show(part_id=uuid4(), content=content, carrier=Existing(message_id=message_id))

    def send(self, *contents: Content, silent: bool = False, call_timeout: float = 20.0) -> Send:
        parts = tuple(SendPart(part_id=uuid4(), content=content) for content in contents)
        return Send(parts=parts, silent=silent, call_timeout=call_timeout)

    def stage(self, content: Content, chat_id: int) -> Stage:
        return Stage(part_id=uuid4(), chat_id=chat_id, content=content)

    def text(self, text: str = "the answer") -> Content:
        return Content(kind=MediaKind.TEXT, text=text)

    def image(self, url: str, text: str = "a cat") -> Content:
        return Content(kind=MediaKind.IMAGE, url=url, text=text)


@pytest.fixture
def make() -> Make:
    return Make()


@pytest.fixture
def token() -> str:
    return TOKEN


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    return folder


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


@pytest.fixture
def system_clock() -> clock.Clock:
    return clock.SYSTEM
