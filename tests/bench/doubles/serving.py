"""Runs a double as a process: serve until a signal, one JSON line says where."""

import asyncio
import json
import signal
import sys

import uvloop

from bench.doubles.http import Answer, Serving
from testkit.ports import LOOPBACK


def run(answer: Answer, *, port: int) -> None:
    """Serve on loopback until SIGTERM."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(answer, port))


async def _serve(answer: Answer, port: int) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server = await loop.create_server(lambda: Serving(answer), LOOPBACK, port, backlog=1024)
    sys.stdout.write(json.dumps({"port": port}) + "\n")
    sys.stdout.flush()
    async with server:
        await stopped.wait()
