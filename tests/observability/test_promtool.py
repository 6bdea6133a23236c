"""promtool reads what is shipped, and every alert fires and keeps still when it should."""

import shutil
import subprocess
from pathlib import Path

import pytest

from observability.shipped import PROMETHEUS, ROOT

pytestmark = pytest.mark.skipif(
    shutil.which("promtool") is None,
    reason="promtool is not here, so no alert is seen to fire: apt-get install prometheus",
)
CASES = sorted((PROMETHEUS / "tests").glob("*.yml"))


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["promtool", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)


@pytest.mark.parametrize("place", [PROMETHEUS, ROOT / "deploy/compose"], ids=["here", "compose"])
def test_prometheus_would_start_with_this(place: Path) -> None:
    done = promtool("check", "config", "--syntax-only", str(place / "prometheus.yml"))

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("case", CASES, ids=[case.stem for case in CASES])
def test_alerts_fire_and_keep_still(case: Path) -> None:
    done = promtool("test", "rules", str(case))

    assert done.returncode == 0, done.stdout + done.stderr
