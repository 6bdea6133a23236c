"""A KIE without limits: every task succeeds and is called back a moment after its creation."""

import argparse
import asyncio
import itertools
import json
import time
from collections import defaultdict
from typing import Final
from urllib.parse import urlsplit

from bench.doubles import http, serving
from testkit.kie import signing

GENERATION: Final = 0.05  # seconds from createTask to its callback


class Kie:
    """Creates tasks and calls back over kept connections, as many as are needed at once."""

    def __init__(self, *, hmac_key: str) -> None:
        self._hmac_key = hmac_key
        self._numbers = itertools.count(1)
        self._run = f"{time.time_ns():x}"
        self._idle: defaultdict[str, list[http.Calling]] = defaultdict(list)
        self._calls: set[asyncio.Task[None]] = set()

    def answer(self, path: bytes, body: bytes) -> bytes:
        """Answer createTask; nothing else is asked here."""
        if not path.endswith(b"/createTask"):
            return b'{"code":404,"msg":"not played here","data":null}'
        asked = json.loads(body)
        task_id = f"task{self._run}x{next(self._numbers)}"
        if url := asked.get("callBackUrl"):
            mark = asked["input"]["prompt"]
            calling = asyncio.create_task(self._call_back(url, task_id, mark))
            self._calls.add(calling)
            calling.add_done_callback(self._calls.discard)
        return json.dumps({"code": 200, "msg": "success", "data": {"taskId": task_id}}).encode()

    async def _call_back(self, url: str, task_id: str, mark: str) -> None:
        await asyncio.sleep(GENERATION)  # noqa: TID251 - how long this KIE takes
        to = urlsplit(url)
        body = finished(task_id, mark=mark)
        signed = signing.signed_headers(
            key=self._hmac_key, task_id=task_id, timestamp=int(time.time())
        )
        request = http.post(to.path, body, host=to.netloc, headers=signed)
        line = await self._line(to.netloc)
        if await line.send(request) == 200:
            self._idle[to.netloc].append(line)
        else:
            line.close()  # an answer without keep-alive; a lost callback shows in the figures

    async def _line(self, netloc: str) -> http.Calling:
        """A kept connection that is still open, else a new one."""
        idle = self._idle[netloc]
        while idle:
            if (line := idle.pop()).is_open:
                return line
        host, _, port = netloc.partition(":")
        return await http.call(host, int(port))


def finished(task_id: str, *, mark: str) -> bytes:
    """The callback of a task that succeeded, as KIE's market family sends it."""
    result = json.dumps({"resultUrls": [f"https://files.example/result-{mark}.png"]})
    told = {
        "taskId": task_id,
        "model": "bench/model",
        "state": "success",
        "param": json.dumps({"model": "bench/model", "input": json.dumps({"prompt": mark})}),
        "resultJson": result,
        "costTime": 1,
        "completeTime": 1795000001000,
        "createTime": 1795000000000,
        "updateTime": 1795000001000,
        "creditsConsumed": 4,
    }
    answer = {"code": 200, "msg": "Playground task completed successfully.", "data": told}
    return json.dumps(answer, separators=(",", ":")).encode()


def main() -> None:
    """Serve on the given port."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--hmac-key", required=True)
    arguments = parser.parse_args()
    serving.run(Kie(hmac_key=arguments.hmac_key).answer, port=arguments.port)


if __name__ == "__main__":
    main()
