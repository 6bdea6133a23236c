"""An example run as its reader runs it: a process of its own, given its environment."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from deployment import TOKEN, Deployment
from testkit.processes import environment

EXAMPLES = Path(__file__).parents[2] / "examples"
STOP_WITHIN = 15.0


def told(deployment: Deployment, **more: str) -> Mapping[str, str]:
    """The environment of a bot in this deployment."""
    return {
        "BOT_TOKEN": TOKEN,
        "TELEGRAM_API_URL": deployment.telegram.url,
        "KIE_API_URL": deployment.kie.url,
        "KIE_API_KEY": deployment.kie.api_key,
        "NATS_URL": deployment.nats_url,
        **more,
    }


@asynccontextmanager
async def bot_process(
    *command: str, directory: Path, env: Mapping[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A running bot; killed when it does not end by itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, cwd=directory, env=environment(dict(env))
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_WITHIN)
        except TimeoutError:
            process.kill()
            await process.wait()
