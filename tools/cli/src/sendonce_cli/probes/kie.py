"""The sandbox KIE, told what to do and asked what it did; and a bot's own call of any KIE."""

from typing import Final

import aiohttp
from pydantic import BaseModel, JsonValue

from kie.families import FAMILIES
from testkit.kie import SANDBOX_API_KEY


class Callback(BaseModel):
    """One callback KIE sent."""

    kind: str
    accepted: bool


class Task(BaseModel):
    """What the sandbox knows of a task."""

    task_id: str
    state: str
    callback_url: str | None
    callbacks: tuple[Callback, ...]
    media_urls: tuple[str, ...]
    polls: int
    request: dict[str, JsonValue]


class _Tasks(BaseModel):
    tasks: list[Task]


ENDED: Final = frozenset({"succeeded", "failed"})


class KieSandbox:
    """The sandbox KIE at this address."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = url.rstrip("/")

    async def plan(self, marker: str, **plan: object) -> None:
        """Say what becomes of the task whose prompt names this marker as ``plan:<marker>``."""
        order = {"marker": marker, "plan": {"name": marker, **plan}}
        async with self._http.post(f"{self._url}/sim/plans", json=order) as answer:
            answer.raise_for_status()

    async def tasks(self, marker: str) -> list[Task]:
        """Return the tasks whose request names this marker."""
        async with self._http.get(f"{self._url}/sim/tasks") as answer:
            answer.raise_for_status()
            found = _Tasks.model_validate_json(await answer.read())
        return [task for task in found.tasks if marker in str(task.request)]

    async def finish(self, marker: str) -> None:
        """End the tasks of this marker that the plan holds."""
        for task in await self.tasks(marker):
            async with self._http.post(f"{self._url}/sim/tasks/{task.task_id}/finish") as answer:
                answer.raise_for_status()

    async def create(
        self, family: str, model: str, given: dict[str, JsonValue], *, callback_url: str
    ) -> str:
        """Make a task as a bot does that calls KIE by itself; returns its id."""
        return await own_task(
            self._http,
            self._url,
            family=family,
            model=model,
            given=given,
            callback_url=callback_url,
        )


async def own_task(
    http: aiohttp.ClientSession,
    url: str,
    *,
    family: str,
    model: str,
    given: dict[str, JsonValue],
    callback_url: str,
) -> str:
    """Call createTask of a sandbox KIE; an outage is an error of aiohttp, an answer without a task a `LookupError`."""
    wanted = FAMILIES[family]
    body = wanted.write(model, given, callback_url)
    headers = {"Authorization": f"Bearer {SANDBOX_API_KEY}"}
    async with http.post(f"{url}{wanted.create_path}", json=body, headers=headers) as answer:
        told = await answer.json()
    try:
        return str(told["data"]["taskId"])
    except (KeyError, TypeError) as none:
        raise LookupError("KIE answered without a task") from none
