"""The five services inside this process: for a small machine, and for a debugger."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, get_type_hints

from pydantic import ValidationError

import callback_gateway.app
import deliverer.app
import job_store.app
import reconciler.app
import submitter.app
from chassis import lifecycle
from chassis.settings import PREFIX, ServiceSettings, SettingsError
from sendonce_cli.settings import DELIVERER, GATEWAY, RECONCILER, STORE, SUBMITTER
from sendonce_cli.stack.services import START_ORDER, ServicePlan

# Each is called with settings of the very class its own signature names.
BUILDS: Final[Mapping[str, Callable[..., Coroutine[Any, Any, Sequence[lifecycle.Part]]]]] = {
    GATEWAY: callback_gateway.app.build,
    STORE: job_store.app.build,
    SUBMITTER: submitter.app.build,
    DELIVERER: deliverer.app.build,
    RECONCILER: reconciler.app.build,
}


@asynccontextmanager
async def one_process(plans: Mapping[str, ServicePlan]) -> AsyncIterator[asyncio.Future[None]]:
    """Run every service here; the future fails when one of them crashes."""
    async with AsyncExitStack() as stack:
        crashed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        watching: set[asyncio.Task[None]] = set()
        for name in START_ORDER:
            build = BUILDS[name]
            running = await stack.enter_async_context(
                lifecycle.service(build, _settings(build, plans[name]), name=name)
            )
            watching.add(asyncio.create_task(_watch(running, crashed)))
        try:
            yield crashed
        finally:
            for watch in watching:
                watch.cancel()


async def _watch(running: lifecycle.Running, crashed: asyncio.Future[None]) -> None:
    crash = await running.until_crash()
    if not crashed.done():
        crashed.set_exception(crash)


def _settings(build: Callable[..., object], plan: ServicePlan) -> ServiceSettings:
    """Make a service's settings from its plan; its wiring names the class."""
    cls: type[ServiceSettings] = get_type_hints(build)["settings"]
    told = {name.removeprefix(PREFIX).lower(): value for name, value in plan.env.items()}
    try:
        return cls.model_validate(
            {name: value for name, value in told.items() if name in cls.model_fields}
        )
    except ValidationError as invalid:
        wrong = [
            f"{PREFIX}{str(error['loc'][0]).upper()}: {error['msg']}" for error in invalid.errors()
        ]
        raise SettingsError(wrong) from None
