"""Every await has a name, and a service that dies at one breaks no promise."""

import ast
import random
from collections import Counter
from pathlib import Path

import pytest

from crash import trials
from crash.nursery import nursery_under_orders
from crash.points import SERVICES, all_points, points_of, rewritten
from crash.stage import stage

SAMPLE, SEED = 8, 20261128
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
    database_url: str, nats_url: str, tmp_path: Path
) -> None:
    """A sample; `make crash` tries every point."""
    async with (
        nursery_under_orders(tmp_path) as born,
        stage(
            database_url=database_url, nats_url=nats_url, directory=tmp_path, nursery=born
        ) as deployment,
    ):
        found = await trials.reached(deployment, tmp_path)
        sample = random.Random(SEED).sample(found, SAMPLE)
        told = [one async for one in trials.run(deployment, sample)]
        unlawful = await deployment.doctor()

    assert {one.trial: one.broken for one in told if one.broken} == {}
    assert unlawful == []
    assert sum(one.reached for one in told) >= SAMPLE // 2
