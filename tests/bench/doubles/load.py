"""The load generator: posts prepared callbacks over kept connections and notes every answer.

Reads one JSON object a line (`mark`, `path`, `body`, `headers`), writes one a line (`mark`,
`began`, `ended`, `status`). Without a rate every connection posts as fast as it is answered; with
one, callbacks begin at fixed times, and a late one counts from when it should have begun.
"""

import argparse
import asyncio
import json
import time
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path

import uvloop

from bench.doubles import http


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """One callback that was answered; seconds of the machine's monotonic clock."""

    mark: str
    began: float
    ended: float
    status: int


def _requests(plan: Path, *, host: str) -> deque[tuple[str, bytes]]:
    lines = [json.loads(line) for line in plan.read_text("utf-8").splitlines()]
    return deque(
        (
            one["mark"],
            http.post(one["path"], one["body"].encode(), host=host, headers=one["headers"]),
        )
        for one in lines
    )


async def _post(
    lines: list[http.Calling], requests: deque[tuple[str, bytes]], rate: float | None
) -> list[Posted]:
    posted: list[Posted] = []
    total = len(requests)
    start = time.monotonic()

    async def work(line: http.Calling) -> None:
        while requests:
            began = start
            if rate is not None:
                began += (total - len(requests)) / rate
            mark, request = requests.popleft()
            if rate is None:
                began = time.monotonic()
            elif (wait := began - time.monotonic()) > 0:
                await asyncio.sleep(wait)  # noqa: TID251 - the pace that was asked for
            status = await line.send(request)
            ended = time.monotonic()
            posted.append(Posted(mark=mark, began=began, ended=ended, status=status))

    await asyncio.gather(*map(work, lines))
    return posted


async def _run(arguments: argparse.Namespace) -> None:
    host, port = arguments.host, arguments.port
    requests = _requests(arguments.plan, host=f"{host}:{port}")
    lines = [await http.call(host, port) for _ in range(arguments.connections)]
    posted = await _post(lines, requests, arguments.rate)
    for line in lines:
        line.close()
    arguments.out.write_text("\n".join(json.dumps(asdict(one)) for one in posted), "utf-8")


def main() -> None:
    """Post what the plan holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plan", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rate", type=float, help="callbacks a second; as fast as it goes without")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
