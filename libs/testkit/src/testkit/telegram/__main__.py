"""`python -m testkit.telegram`: serve until a signal; one JSON line says where."""

import argparse
import asyncio
import json
import signal
import sys
import time

from testkit.telegram.faults import Profile
from testkit.telegram.limits import Limits
from testkit.telegram.server import FakeTelegram

IDS = 1_000_000  # ids of messages start at the second of the clock, short enough to read


def _limits(spelled: str) -> Limits:
    match spelled:
        case "real":
            return Limits()
        case "off":
            return Limits.off()
        case factor:
            return Limits().scaled(float(factor))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m testkit.telegram", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--seed", type=int, default=0, help="of the fault dice")
    parser.add_argument("--faults", type=Profile, choices=list(Profile), default=Profile.NONE)
    parser.add_argument(
        "--limits", type=_limits, default=Limits(), help="real, off, or a factor such as 10"
    )
    parser.add_argument("--unlimited", action="store_true", help="for benchmarks: no pace, no log")
    parser.add_argument("--hang-seconds", type=float, default=1.5)
    parser.add_argument("--bot", action="append", default=[], help="a token; default: any")
    parser.add_argument(
        "--fetch-host", action="append", default=[], help="fetch media from here, too"
    )
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    telegram = FakeTelegram(
        host=arguments.host,
        port=arguments.port,
        seed=arguments.seed,
        faults=arguments.faults,
        limits=arguments.limits,
        unlimited=arguments.unlimited,
        hang_seconds=arguments.hang_seconds,
        auto_bots=not arguments.bot,
        fetch_hosts=frozenset(arguments.fetch_host),
        # To a database that outlives this process, an id given twice is the same message twice.
        ids_after=int(time.time()) % IDS,
    )
    for token in arguments.bot:
        telegram.add_bot(token)
    async with telegram:
        sys.stdout.write(json.dumps({"url": telegram.url}) + "\n")
        sys.stdout.flush()
        await stopped.wait()


if __name__ == "__main__":
    asyncio.run(_serve(_arguments()))
