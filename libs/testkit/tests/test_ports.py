"""A port drawn by one process is drawn by no other, until its holder has gone."""

import subprocess
import sys
from pathlib import Path

from testkit.ports import FIRST, KEPT, Claims, free_port

ANOTHER = """
import sys
from pathlib import Path
from testkit.ports import Claims

print(Claims(Path(sys.argv[1])).claim(int(sys.argv[2])))
"""


def another_claims(path: Path, port: int) -> bool:
    said = subprocess.run(
        [sys.executable, "-c", ANOTHER, str(path), str(port)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return said.strip() == "True"


def test_a_drawn_port_is_given_to_nobody_else(tmp_path: Path) -> None:
    claims = Claims(tmp_path / "ports")

    assert claims.claim(FIRST)

    assert not claims.claim(FIRST)
    assert not another_claims(tmp_path / "ports", FIRST)
    assert another_claims(tmp_path / "ports", FIRST + 1)


def test_what_a_dead_process_held_is_free_again(tmp_path: Path) -> None:
    assert another_claims(tmp_path / "ports", FIRST)

    assert Claims(tmp_path / "ports").claim(FIRST)


def test_the_oldest_claims_are_given_up_so_that_ports_never_run_out(tmp_path: Path) -> None:
    claims = Claims(tmp_path / "ports")

    for port in range(FIRST, FIRST + KEPT + 1):
        assert claims.claim(port)

    assert another_claims(tmp_path / "ports", FIRST)
    assert not another_claims(tmp_path / "ports", FIRST + 1)


def test_the_same_port_is_not_drawn_twice() -> None:
    drawn = [free_port() for _ in range(100)]

    assert len(set(drawn)) == len(drawn)
