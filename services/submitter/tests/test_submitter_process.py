"""The submitter as the process it is deployed as."""

import json
from pathlib import Path

import pytest

from contracts.submissions import TaskCreated
from submitter_bench import World, requested
from testkit.kie import Plan
from testkit.ports import free_port
from testkit.processes import ServiceProcess, ServiceSpec, environment, python_module

READY_WITHIN = 10.0  # measured: about two seconds on two busy cores


@pytest.fixture
def process(world: World, tmp_path: Path) -> ServiceProcess:
    port = free_port()
    settings = {
        "SENDONCE_NATS_URL": world.nats.url,
        "SENDONCE_KIE_API_URL": world.kie.url,
        "SENDONCE_KIE_API_KEY": world.kie.api_key,
        "SENDONCE_HEALTH_PORT": str(port),
        "SENDONCE_LOG_FORMAT": "json",
    }
    spec = ServiceSpec(
        name="submitter",
        command=python_module("submitter"),
        log=tmp_path / "submitter.log",
        env=environment(settings),
        ready_url=f"http://127.0.0.1:{port}/readyz",
        ready_within=READY_WITHIN,
    )
    return ServiceProcess(spec)


async def test_fault_49_a_terminated_process_finishes_its_call_and_leaves_well(
    world: World, process: ServiceProcess
) -> None:
    world.kie.plan_next(Plan(create_delay=1.0))

    async with process:
        await world.store.ask(requested())
        await world.kie.until(lambda kie: kie.counts()["tasks"] == 1)
        await process.stop()

    (task,) = world.kie.tasks()
    assert process.exit_code == 0
    assert (await world.store.outcome()).result == TaskCreated(task_id=task.task_id)


async def test_a_killed_process_does_not_call_again(world: World, process: ServiceProcess) -> None:
    world.kie.plan_next(Plan(create_delay=5.0))
    request = requested()

    async with process:
        await world.store.ask(request)
        await world.kie.until(lambda kie: kie.counts()["tasks"] == 1)
        await process.kill()
        await process.start()
        # What ack_wait does two minutes later.
        await world.store.ask(request, copy=1)
        await world.store.until_left(1, of=2)

    assert world.kie.counts()["creates"] == 1
    assert len(world.store.questions) == 2
    assert await world.store.count_outcomes() == 0


async def test_neither_key_nor_prompt_is_ever_logged(world: World, process: ServiceProcess) -> None:
    echo = Plan(reject_creates=1, reject_code=422, reject_message="no prompt: a secret lake")
    world.kie.plan_next(echo)

    async with process:
        await world.store.ask(requested(prompt="a secret lake"))
        await world.store.outcome()
        await world.store.put(b'{"input": "a secret lake"}', msg_id="malformed")
        await world.store.until_acked(2)

    log = process.spec.log.read_text()
    assert "submission.refused" in log
    assert "message.given_up" in log
    assert "a secret lake" not in log
    assert world.kie.api_key not in log


async def test_one_line_tells_a_request_with_all_its_ids(
    world: World, process: ServiceProcess
) -> None:
    request = requested()

    async with process:
        await world.store.ask(request)
        await world.store.outcome()

    lines = [line for line in process.spec.log.read_text().splitlines() if line.startswith("{")]
    (told,) = [
        fact
        for line in lines
        if (fact := json.loads(line))["event"] == "[GEN_CREATE] submission.created"
    ]
    assert told["attempt_id"] == str(request.attempt.id)
    assert told["job_id"] == str(request.job_id)
    assert told["task_id"] == world.kie.tasks()[0].task_id
