"""The whole gateway on a free port before a real NATS, and a look into what it stored."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from callback_arrivals import HMAC_KEY, SUCCESS, setting, token
from callback_gateway import app
from callback_gateway.settings import Settings
from chassis import bus, lifecycle
from contracts import streams
from contracts.reports import ReportReceived
from testkit.ports import LOOPBACK, free_port


def settings_for(nats_url: str, **changed: object) -> Settings:
    values: dict[str, object] = {
        "nats_url": nats_url,
        "gateway_port": free_port(),
        "callback_keys": setting(),
        "kie_hmac_keys": f"studio:the one before,studio:{HMAC_KEY.decode()}",
        **changed,
    }
    return Settings.model_validate(values)


async def make_reports_stream(nats_url: str) -> None:
    """What the migration step does for the gateway."""
    async with bus.connected(nats_url, name="migration") as broker:
        reports = bus.StreamSpec.among(streams.STREAMS, streams.REPORTS)
        await bus.ensure_streams(broker.connection.jetstream(), reports)


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """The public port of a running gateway."""

    number: int
    client: httpx.AsyncClient

    async def post(
        self, content: bytes, *, token: str | None = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        path = "/callbacks/kie" if token is None else f"/callbacks/kie/{token}"
        return await self.client.post(
            path, content=content, headers={"content-type": "application/json"} | (headers or {})
        )

    async def stored_within(self, seconds: float) -> None:
        """Call back until it is answered 200, as KIE would; `TimeoutError` when it is not."""
        async with asyncio.timeout(seconds):
            while (await self.post(SUCCESS, token=token())).status_code != 200:
                pass


@asynccontextmanager
async def gateway(settings: Settings) -> AsyncIterator[Port]:
    address = f"http://{LOOPBACK}:{settings.gateway_port}"
    async with (
        lifecycle.service(app.build, settings, name="callback-gateway"),
        httpx.AsyncClient(base_url=address, timeout=20) as client,
    ):
        yield Port(number=settings.gateway_port, client=client)


@dataclass(frozen=True, slots=True)
class Reports:
    """What stands in the stream."""

    client: Client

    @property
    def _jetstream(self) -> JetStreamContext:
        return self.client.jetstream()

    async def count(self) -> int:
        return (await self._jetstream.stream_info(streams.REPORTS)).state.messages

    async def last(self) -> ReportReceived:
        message = await self._jetstream.get_last_msg(streams.REPORTS, "reports.received")
        assert message.data is not None
        report = ReportReceived.read(message.data)
        assert message.headers is not None
        assert message.headers["Nats-Msg-Id"] == report.id
        return report

    async def are_empty(self) -> bool:
        try:
            await self.last()
        except NotFoundError:
            return True
        return False
