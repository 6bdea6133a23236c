"""`python -m testkit.kie`: the fake KIE as a process; one JSON line says when it is ready."""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from testkit.kie.accounts import KIE_CREATES
from testkit.kie.profiles import Profile
from testkit.kie.server import SANDBOX_API_KEY, FakeKie


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m testkit.kie", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--public-url", help="where media are reached from, if not at this host")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--faults", choices=[profile.value for profile in Profile], default="none")
    parser.add_argument("--api-key", default=SANDBOX_API_KEY)
    parser.add_argument("--hmac-key-file", type=Path)
    parser.add_argument("--no-rate-limit", action="store_true", help="not 20 creates in 10 s")
    parser.add_argument("--media-life", type=float, help="seconds until result URLs expire")
    return parser.parse_args()


def _fake_kie(arguments: argparse.Namespace) -> FakeKie:
    key_file: Path | None = arguments.hmac_key_file
    return FakeKie(
        host=arguments.host,
        port=arguments.port,
        public_url=arguments.public_url,
        seed=arguments.seed,
        profile=arguments.faults,
        api_key=arguments.api_key,
        hmac_key=key_file.read_text().strip() if key_file else None,
        media_life=arguments.media_life,
        create_rate=None if arguments.no_rate_limit else KIE_CREATES,
    )


async def _serve(kie: FakeKie) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with kie:
        ready = {"url": kie.url, "seed": kie.seed, "faults": str(kie.profile)}
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await stopped.wait()


if __name__ == "__main__":
    asyncio.run(_serve(_fake_kie(_arguments())))
