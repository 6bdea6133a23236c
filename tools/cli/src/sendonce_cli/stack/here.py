"""The whole system from start to Ctrl-C: what starts first stops last."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from rich.console import Console

from chassis import lifecycle, logs, tracing
from contracts.permissions import MIGRATE
from sendonce_cli.screen import out
from sendonce_cli.screens.up import up_screen
from sendonce_cli.settings import Settings, Storage
from sendonce_cli.stack import migration
from sendonce_cli.stack.scraped import scraped
from sendonce_cli.stack.servers import Addresses, servers
from sendonce_cli.stack.services import ServicePlan, as_process, plan_services, start_all, stop_all
from sendonce_cli.stack.supervisor import Hopeless, Supervisor
from sendonce_cli.stack.supply import Outside, nats_port, outside, sandboxes, wiring
from sendonce_cli.stack.surroundings import Surroundings, told
from sendonce_cli.trouble import Trouble
from testkit.processes import ServiceProcess


async def run_here(settings: Settings, *, one_process: bool) -> None:
    """Run everything until Ctrl-C or SIGTERM; trouble when something cannot run."""
    console = out()
    around = outside(settings)
    async with AsyncExitStack() as stack:
        addresses = await stack.enter_async_context(_servers(settings, console))
        console.print("[quiet]making schema and streams …[/]")
        await migration.up(
            addresses.database_url or None,
            addresses.nats_url,
            creds=addresses.creds(MIGRATE) or settings.nats_creds,
            replicas=settings.nats_replicas,
        )
        log_dir = settings.data_dir.resolve() / "logs"
        plans = plan_services(wiring(settings, addresses, around), logs=log_dir)
        played = sandboxes(around, logs=log_dir)
        stack.push_async_callback(_stop_sandboxes, played)
        await start_all(played)
        console.print("[quiet]starting five services …[/]")
        running = _together if one_process else _apart
        stopped = await stack.enter_async_context(running(plans, settings, console))
        watched = await stack.enter_async_context(_supervised(played, console))
        stack.enter_context(scraped(plans, directory=settings.data_dir, together=one_process))
        stack.enter_context(told(settings.data_dir, surroundings_of(addresses, around)))
        console.print(up_screen(addresses, around, plans, logs=None if one_process else log_dir))
        await _until_stopped(stopped, watched)
        console.print("\n[quiet]stopping …[/]")


@asynccontextmanager
async def _servers(settings: Settings, console: Console) -> AsyncIterator[Addresses]:
    given_nats = settings.nats_url if "nats_url" in settings.model_fields_set else None
    given_database = None
    if settings.storage is Storage.POSTGRES and settings.database_url:
        given_database = settings.database_url.get_secret_value()
    ours = ["NATS"] * (given_nats is None)
    ours += ["Postgres"] * (settings.storage is Storage.POSTGRES and given_database is None)
    if ours:
        console.print(f"[quiet]starting {' and '.join(ours)} …[/]")
    async with servers(
        settings.data_dir,
        storage=settings.storage,
        nats_url=given_nats,
        database_url=given_database,
        nats_port=nats_port(),
    ) as addresses:
        yield addresses


@asynccontextmanager
async def _apart(
    plans: dict[str, ServicePlan], _settings: Settings, console: Console
) -> AsyncIterator[asyncio.Future[None]]:
    """Run the services as processes."""
    processes = [as_process(plan) for plan in plans.values()]
    try:
        await start_all(processes)
        async with _supervised(processes, console) as watched:
            yield watched
    finally:
        await stop_all(processes)


@asynccontextmanager
async def _together(
    plans: dict[str, ServicePlan], settings: Settings, _console: Console
) -> AsyncIterator[asyncio.Future[None]]:
    """Run the services in this process."""
    from sendonce_cli.stack.one_process import one_process  # noqa: PLC0415 - loads every service

    logs.configure(output=settings.log_format, level=settings.log_level, service="sendonce")
    with tracing.exporting(settings.otlp_endpoint, ratio=settings.trace_ratio, service="sendonce"):
        async with one_process(plans) as crashed:
            yield crashed


@asynccontextmanager
async def _supervised(
    children: list[ServiceProcess], console: Console
) -> AsyncIterator[asyncio.Future[None]]:
    """Keep the children alive beside the block; the future fails when that is hopeless."""
    watched = asyncio.gather(
        asyncio.get_running_loop().create_future(),  # with no children, too, there is no end
        *(
            Supervisor(child, lambda said: console.print(said, soft_wrap=True)).run()
            for child in children
        ),
    )
    try:
        yield asyncio.ensure_future(_nothing(watched))
    finally:
        watched.cancel()
        await asyncio.wait({watched})


async def _nothing(watched: "asyncio.Future[list[None]]") -> None:
    await watched


async def _until_stopped(*crashes: asyncio.Future[None]) -> None:
    """Wait for Ctrl-C, or raise what ended the system before it."""
    asked = lifecycle.stop_signal()
    done, _ = await asyncio.wait({asked, *crashes}, return_when=asyncio.FIRST_COMPLETED)
    for crash in done - {asked}:
        problem = crash.exception()
        if isinstance(problem, Hopeless):
            raise Trouble(str(problem)) from problem
        if problem is not None:
            raise Trouble(f"a service crashed: {problem}", hint="its log says why") from problem


def surroundings_of(addresses: Addresses, around: Outside) -> Surroundings:
    """Return what other commands are told of the outside."""
    return Surroundings(
        nats_url=addresses.nats_url,
        gateway_url=around.gateway_url,
        telegram_url=around.telegram_url,
        kie_url=around.kie_url,
    )


async def _stop_sandboxes(played: list[ServiceProcess]) -> None:
    for sandbox in played:
        await sandbox.stop()
