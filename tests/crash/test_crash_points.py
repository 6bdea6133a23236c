"""Every await has a name, and a service that dies at one breaks no promise."""

import ast
import random
from collections import Counter
from pathlib import Path

import pytest

from crash import trials
from crash.errands import ERRANDS
from crash.grounds import commands, deployment
from crash.lives import BY_NAME, LIVES
from crash.nursery import nursery_under_orders
from crash.points import SERVICES, all_points, points_of, rewritten

LED, SAMPLE, COMMANDS, SEED = 10, 6, 8, 20261133
WRITES = {
    f"job_store.journal.disk:Journal.{where}" for where in ("_write#1", "condense#2", "condense#4")
}
ASYNCHRONOUS = (ast.Await, ast.AsyncFor)


def awaits(tree: ast.AST) -> int:
    nodes = list(ast.walk(tree))
    entered = sum(len(node.items) for node in nodes if isinstance(node, ast.AsyncWith))
    loops = sum(isinstance(node, ast.comprehension) and bool(node.is_async) for node in nodes)
    return sum(isinstance(node, ASYNCHRONOUS) for node in nodes) + entered + loops


@pytest.mark.parametrize("service", SERVICES)
def test_no_await_of_a_service_is_without_a_name(service: str) -> None:
    named = Counter(name.partition(":")[0] for name in all_points())
    root = Path(__import__(service).__file__ or "").parent

    for path in root.rglob("*.py"):
        inner = path.relative_to(root).with_suffix("").parts
        module = ".".join((service, *(part for part in inner if part != "__init__")))
        assert named[module] == awaits(ast.parse(path.read_bytes())), module


SOURCE = """
async def outer(lock, things):
    async with lock as held, lock:
        await (await held)
    async for thing in things:
        [each async for each in thing if await each]
    async def inner():
        await lock
"""


def test_every_point_of_a_source_is_named_once_in_order() -> None:
    names = [point.name for point in points_of("here", SOURCE)]

    assert names == [f"here:outer#{number}" for number in range(1, 8)] + ["here:outer.inner#1"]
    assert awaits(ast.parse(SOURCE)) == len(names)
    assert ast.unparse(rewritten(SOURCE, "here")).count("__crash_") == len(names)


@pytest.mark.e2e
@pytest.mark.timeout(300)
async def test_fault_26_a_service_that_dies_where_it_waits_breaks_no_promise(
    tmp_path: Path,
) -> None:
    """A sample of lives, and of the points they come to; `make crash` tries every one."""
    dice = random.Random(SEED)
    async with (
        nursery_under_orders(tmp_path) as born,
        deployment(tmp_path / "stage", born) as stage,
    ):
        found = await trials.reached(stage, tmp_path, dice.sample(LIVES, LED))
        sample = dice.sample(found, SAMPLE)
        told = [one async for one in trials.run(stage, sample)]
        unlawful = await stage.doctor()

    assert {one.trial: one.broken for one in told if one.broken} == {}
    assert unlawful == []
    assert sum(one.reached for one in told) >= SAMPLE // 2


def is_before(trial: trials.Trial) -> bool:
    return trial.blows[0].when == "before"


@pytest.mark.e2e
async def test_fault_26_a_journal_whose_service_dies_breaks_no_promise(tmp_path: Path) -> None:
    async with (
        nursery_under_orders(tmp_path) as born,
        deployment(tmp_path / "stage", born, storage=trials.JSON) as stage,
    ):
        found = await trials.reached(stage, tmp_path, [BY_NAME["edited"]])
        writing = [each for each in found if each.blows[0].point in WRITES and is_before(each)]
        told = [one async for one in trials.run(stage, writing)]
        unlawful = await stage.doctor()

    assert {one.trial.blows[0].point for one in told} == WRITES
    assert {one.trial: one.broken for one in told if one.broken} == {}
    assert any(one.reached for one in told)
    assert unlawful == []


@pytest.mark.e2e
@pytest.mark.timeout(180)
async def test_fault_26_a_command_that_was_killed_is_typed_again(tmp_path: Path) -> None:
    async with (
        nursery_under_orders(tmp_path) as born,
        deployment(tmp_path / "stage", born) as stage,
        commands(stage, tmp_path / "bench", born) as bench,
    ):
        found = await trials.of_commands(bench)
        sample = sorted(random.Random(SEED).sample(found, COMMANDS), key=lambda each: each.life)
        told = [one async for one in trials.run(bench, sample)]

    assert {each.life for each in found} == ERRANDS.keys()
    assert {one.trial: one.broken for one in told if one.broken} == {}
    assert all(one.reached for one in told)
