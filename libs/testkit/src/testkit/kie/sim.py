"""The sandbox's own HTTP surface under /sim: plans, switches and the truth. No key is asked for."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Self, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from testkit.kie.answers import reply
from testkit.kie.plans import Plan
from testkit.kie.switches import Switches
from testkit.kie.tasks import Task
from testkit.kie.truth import truth_json, truth_of
from testkit.kie.wire import JsonObject
from testkit.kie.workshop import Workshop

Given = TypeVar("Given")
Read = TypeVar("Read")
SWITCHES = TypeAdapter(Switches)


class PlanOrder(BaseModel):
    """`{"marker": "x", "plan": {...}}` or `{"next": 3, "plan": {...}}`."""

    model_config = ConfigDict(extra="forbid")

    plan: Plan
    marker: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.-]+$")
    next: int | None = Field(default=None, ge=1, le=100_000)

    @model_validator(mode="after")
    def _names_one_way(self) -> Self:
        if (self.marker is None) == (self.next is None):
            message = "give either marker or next"
            raise ValueError(message)
        return self


class SimApi:
    """The routes that steer one workshop and show what happened in it."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop

    def routes(self) -> list[web.RouteDef]:
        """Every address under /sim."""
        return [
            web.get("/sim", self._summary),
            web.get("/sim/tasks", self._tasks),
            web.get("/sim/tasks/{task_id}", self._task),
            web.post("/sim/tasks/{task_id}/finish", self._finish),
            web.post("/sim/tasks/{task_id}/callback", self._call_back_again),
            web.post("/sim/plans", self._plans),
            web.get("/sim/switches", self._show_switches),
            web.post("/sim/switches", self._turn_switches),
        ]

    async def _summary(self, _request: web.Request) -> web.Response:
        book = self._workshop.book
        unsettled = sum(not task.settled for task in book)
        return reply({"counts": dict(book.counts), "unsettled": unsettled})

    async def _tasks(self, request: web.Request) -> web.Response:
        """Tasks, those of one state, or those in whose request a text stands."""
        state, text = request.query.get("state"), request.query.get("text", "")
        chosen = [
            task
            for task in self._workshop.book
            if state in {None, task.state.value} and text in json.dumps(task.request)
        ]
        pictures = [truth_json(truth_of(task)) for task in chosen]
        return reply({"tasks": pictures, "counts": dict(self._workshop.book.counts)})

    async def _task(self, request: web.Request) -> web.Response:
        return reply(truth_json(truth_of(self._found(request))))

    async def _finish(self, request: web.Request) -> web.Response:
        self._found(request).released.set()
        return reply({"ok": True})

    async def _call_back_again(self, request: web.Request) -> web.Response:
        task = self._found(request)
        if not task.ended or task.callback_url is None:
            return reply({"error": "this task has not ended or has no callBackUrl"}, status=409)
        return reply({"accepted": await self._workshop.call_back_again(task)})

    async def _plans(self, request: web.Request) -> web.Response:
        order = _read(PlanOrder.model_validate_json, await request.read())
        if order.marker is not None:
            self._workshop.planner.name(order.marker, order.plan)
        else:
            self._workshop.planner.queue(order.plan, count=order.next or 1)
        return reply({"ok": True})

    async def _show_switches(self, _request: web.Request) -> web.Response:
        return reply(self._switches())

    async def _turn_switches(self, request: web.Request) -> web.Response:
        current = self._workshop.switches
        changes = _read(TypeAdapter(dict[str, object]).validate_json, await request.read())
        wanted = _read(SWITCHES.validate_python, {**asdict(current), **changes})
        for name, value in asdict(wanted).items():
            setattr(current, name, value)
        return reply(self._switches())

    def _switches(self) -> JsonObject:
        return asdict(self._workshop.switches)

    def _found(self, request: web.Request) -> Task:
        task = self._workshop.book.find(request.match_info["task_id"])
        if task is None:
            raise web.HTTPNotFound(text="no such task")
        return task


def _read(reader: Callable[[Given], Read], given: Given) -> Read:
    try:
        return reader(given)
    except ValidationError as error:
        raise web.HTTPBadRequest(text=str(error)) from error
