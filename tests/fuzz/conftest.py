"""How long and from which seed the fuzz tests run; `make fuzz` says more than `make test`."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is sent: `seconds` None means the little that `make test` affords."""

    seconds: float | None
    seed: int


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz-seconds", type=float, help="how long each kind of fuzzing may take")
    parser.addoption("--fuzz-seed", type=int, default=1)


@pytest.fixture(scope="session")
def effort(request: pytest.FixtureRequest) -> Effort:
    # Absent where the tests are not named on the command line: an option needs an early conftest.
    seconds = request.config.getoption("--fuzz-seconds", default=None)
    return Effort(seconds, request.config.getoption("--fuzz-seed", default=1))


@pytest.fixture
def tell(effort: Effort, capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Say how much was sent, where somebody asked for more than `make test` sends."""

    def told(words: str) -> None:
        if effort.seconds is not None:
            with capsys.disabled():
                print(words)  # noqa: T201 - `make fuzz` speaks by printing

    return told
