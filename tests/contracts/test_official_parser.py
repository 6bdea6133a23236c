"""The AsyncAPI documents as the official parser reads them, where Node and the parser are at hand.

`npm ci --ignore-scripts --prefix tests/contracts/parser` brings the parser; NODE_PATH is honoured too.
"""

import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from pydantic import BaseModel, TypeAdapter
from write_documents import DOCS, documents

from contracts.documents import yaml

HERE: Final = Path(__file__).parent / "parser"
NODE: Final = shutil.which("node")
ERROR, WARNING = 0, 1
# The issue asks for 3.0; the parser would rather see the latest.
TOLD_ANYWAY: Final = "asyncapi-latest-version"


class Diagnostic(BaseModel):
    severity: int
    code: str | int
    at: str
    message: str


class Answer(BaseModel):
    readable: bool
    version: str | None
    operations: int
    found: list[Diagnostic]


ANSWERS: Final = TypeAdapter(dict[str, Answer])


def node(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    assert NODE is not None
    return subprocess.run(
        [NODE, *arguments], cwd=HERE, capture_output=True, timeout=55, check=False
    )


@cache
def parser_is_at_hand() -> bool:
    return NODE is not None and node("-e", "require.resolve('@asyncapi/parser')").returncode == 0


def read(*files: Path) -> dict[str, Answer]:
    if not parser_is_at_hand():
        pytest.skip("needs node, and `npm ci --ignore-scripts` in tests/contracts/parser")
    ran = node("validate.cjs", *map(str, files))
    assert ran.returncode == 0, ran.stderr.decode()
    return ANSWERS.validate_json(ran.stdout)


def test_the_official_parser_has_nothing_to_say_against_the_documents() -> None:
    files = sorted(DOCS.glob("*.asyncapi.yaml"))

    answers = read(*files)

    assert set(answers) == {str(one) for one in files}
    for one in answers.values():
        assert one.readable
        assert one.version == "3.0.0"
        assert one.operations > 0
        assert {each.code for each in one.found} <= {TOLD_ANYWAY}, one.found


def test_the_official_parser_sees_a_fault(tmp_path: Path) -> None:
    name = "submitter.asyncapi.yaml"
    (tmp_path / name).write_text(
        yaml.dump(documents()[name]).replace("action: send", "action: ask", 1), "utf-8"
    )

    (answer,) = read(tmp_path / name).values()

    assert not answer.readable
    assert ERROR in {one.severity for one in answer.found}
