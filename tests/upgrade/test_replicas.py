"""Who ends otherwise than asked for is named, and who has not worked is seen."""

from pathlib import Path

from deployment import eventually
from upgrade.replicas import Replica, Replicas
from upgrade.versions import this


async def test_a_replica_that_has_ended_by_itself_is_named(tmp_path: Path) -> None:
    replicas = Replicas(lambda _version: {}, gateways={1: 1, 2: 2}, logs=tmp_path)
    short = Replica("this", 1)  # a module that says its verse and ends
    replicas._ports[short] = 1
    replicas._spawn(short, this())

    async def is_over() -> bool:
        return not replicas.processes[short].running

    await eventually(is_over, within=20)
    await replicas.stop()

    assert replicas.bad_ends == ["this-1 of this had ended by itself with 0"]
    assert replicas.worked() == {short: 0}


def test_work_is_counted_over_all_lives_of_a_replica(tmp_path: Path) -> None:
    replicas = Replicas(lambda _version: {}, gateways={1: 1, 2: 2}, logs=tmp_path)
    for version, jobs in (("old", 2), ("new", 3)):
        (tmp_path / f"deliverer-1.{version}.log").write_text("job_id=1\nno\n" * jobs, "utf-8")
    replicas.processes[Replica("deliverer", 1)] = None

    assert replicas.worked() == {Replica("deliverer", 1): 5}
