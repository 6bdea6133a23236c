"""The compose files, as an operator uses them; needs a Docker engine, half an hour, and the network for the images."""

from pathlib import Path

import pytest

from stack.load import Figures
from stack.run import run
from stack.scenes import SCENES
from testkit.servers.sources import docker_engine_answers

pytestmark = [pytest.mark.docker, pytest.mark.timeout(3_600)]


async def test_a_deployment_in_containers_bears_kills_upgrades_and_replicas(tmp_path: Path) -> None:
    """Each scene raises when something was lost, doubled or not shown."""
    assert docker_engine_answers()

    told: dict[str, Figures] = {}
    await run(tmp_path, told, say=print)

    assert list(told) == list(SCENES)
