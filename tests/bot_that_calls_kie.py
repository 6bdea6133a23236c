"""A bot with its own KIE call: its jobs, its tasks and whatever it says in KIE's name."""

from typing import Any
from uuid import uuid4

import httpx
from pydantic import JsonValue

from contracts.api import JobView
from deployment import Deployment
from testkit.kie import Plan

PICTURE = "https://files.example/picture.png"


async def create(deployment: Deployment, prompt: str = "a cat", **fields: Any) -> JobView:
    """Have sendonce submit a task."""
    base = {
        "key": str(uuid4()),
        "chat_id": 7,
        "user_id": 7,
        "model": "nano-banana-2",
        "input": {"prompt": prompt},
    }
    return await deployment.sendonce.create(**base | fields)


async def own_task(deployment: Deployment, callback_url: str, plan: Plan) -> str:
    """Create a task at KIE past sendonce; returns its id."""
    deployment.kie.plan_next(plan)
    async with httpx.AsyncClient() as http:
        answer = await http.post(
            f"{deployment.kie.url}/api/v1/jobs/createTask",
            headers={"Authorization": f"Bearer {deployment.kie.api_key}"},
            json={
                "model": "nano-banana-2",
                "input": {"prompt": "mine"},
                "callBackUrl": callback_url,
            },
        )
    task_id: str = answer.json()["data"]["taskId"]
    return task_id


async def expected(deployment: Deployment, **fields: Any) -> tuple[JobView, str]:
    """A job whose task KIE keeps open: the test says what becomes of it. Returns the job and its task id."""
    base = {"key": str(uuid4()), "chat_id": 7, "user_id": 7}
    job = await deployment.sendonce.expect(**base | fields)
    task_id = await own_task(deployment, job.callback_url or "", Plan(held=True))
    return await deployment.sendonce.attach(job_id=job.id, task_id=task_id), task_id


def market(task_id: str, state: str, **more: JsonValue) -> dict[str, JsonValue]:
    """A Market callback as KIE documents it (kie.md section 1.3)."""
    data: dict[str, JsonValue] = {"taskId": task_id, "model": "nano-banana-2", "state": state}
    return {"code": 200, "msg": "success", "data": data | more}


def success(task_id: str, *urls: str) -> dict[str, JsonValue]:
    links = ",".join(f'"{url}"' for url in urls or (PICTURE,))
    return market(task_id, "success", resultJson=f'{{"resultUrls":[{links}]}}')


async def call_back(url: str | None, body: JsonValue) -> int:
    """Say this in KIE's name; returns the status of the answer."""
    assert url is not None
    async with httpx.AsyncClient() as http:
        return (await http.post(url, json=body)).status_code
