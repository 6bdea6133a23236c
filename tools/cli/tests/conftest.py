"""What every test of the command has in hand."""

import os

import pytest
from typer.testing import CliRunner


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of this machine, and a NATS address where nobody listens."""
    for name in [name for name in os.environ if name.startswith("SENDONCE_")]:  # noqa: TID251 - to be emptied
        monkeypatch.delenv(name)
    monkeypatch.setenv("SENDONCE_NATS_URL", "nats://127.0.0.1:9")


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()
