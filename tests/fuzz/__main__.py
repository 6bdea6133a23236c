"""`make fuzz`: send nonsense for as long as asked; what broke a law is kept and the exit code is 1."""

import argparse
import importlib.util
import json
import re
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fuzz import seeds

OUT: Final = Path(".sendonce/fuzz")
TESTS: Final = {
    "gateway": "tests/fuzz/test_gateway_document.py",
    "messages": "tests/fuzz/test_messages.py",
    "services": "tests/fuzz/test_services.py",
}
MISSING: Final = 2
HOW: Final = """atheris is not installed; it has no wheel for every Python, so it is not in the lock:

    VIRTUAL_ENV=.venv .venv/bin/uv pip install atheris==3.0.0

`make setup` takes it out again when the lock changes."""
LONGEST: Final = 2**16  # bytes of an input; long ones are a test of their own
FINISHED: Final = re.compile(
    r"#(?P<executions>\d+)\s+(?:INITED|DONE)\s+cov: (?P<edges>\d+) ft: (?P<features>\d+) corp: (?P<corpus>\d+)"
)


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each of them")
    parser.add_argument("--only", action="append", choices=["reader", *TESTS], metavar="NAME",
                        help=f"one of reader, {', '.join(TESTS)}; may be repeated")  # fmt: skip
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(given)


def reader(seconds: int, seed: int) -> int:
    """Fuzz the callback reader by coverage; what it finds becomes a line to keep."""
    if importlib.util.find_spec("atheris") is None:
        print(HOW, file=sys.stderr)  # noqa: T201 - the command speaks by printing
        return MISSING
    found, crashes = OUT / "corpus", OUT / "crashes"
    for directory in (found, crashes):
        directory.mkdir(parents=True, exist_ok=True)
    before = set(crashes.iterdir())
    seeds.write(OUT / "seeds", OUT / "words.dict")
    flags = [f"-dict={OUT / 'words.dict'}", f"-artifact_prefix={crashes}/", f"-seed={seed}"]
    flags += [f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-timeout=20"]
    command = [sys.executable, "-m", "fuzz.coverage", str(found), str(OUT / "seeds"), *flags]
    ran = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    (OUT / "reader.log").write_text(ran.stderr, "utf-8")
    for line in ran.stderr.splitlines():
        if (figures := FINISHED.search(line)) is not None:
            print(json.dumps({name: int(value) for name, value in figures.groupdict().items()}))  # noqa: T201
    for path in set(crashes.iterdir()) - before:
        kept = {"name": path.name, "base64": b64encode(path.read_bytes()[1:]).decode()}
        print(json.dumps(kept))  # noqa: T201
    if ran.returncode:
        print(f"exit {ran.returncode}; see {OUT / 'reader.log'}", file=sys.stderr)  # noqa: T201
    return min(ran.returncode, 1)


def tests(name: str, seconds: int, seed: int) -> int:
    """Run the tests of one kind for so long; each prints how much it sent."""
    command = [sys.executable, "-m", "pytest", "-q", "--timeout", str(seconds * 10 + 300)]
    command += [f"--fuzz-seconds={seconds}", f"--fuzz-seed={seed}", TESTS[name]]
    return min(subprocess.run(command, check=False).returncode, 1)


def main() -> int:
    """Fuzz what was chosen, one after the other; without atheris the reader alone is left out."""
    chosen = arguments(sys.argv[1:])
    worst = 0
    for name in chosen.only or ["reader", *TESTS]:
        began = time.monotonic()
        run = reader if name == "reader" else lambda *args, one=name: tests(one, *args)
        ended = run(chosen.seconds, chosen.seed)
        print(f"{name}: {time.monotonic() - began:.0f} s, exit {ended}")  # noqa: T201
        worst = max(worst, ended)
    return worst


if __name__ == "__main__":
    sys.exit(main())
