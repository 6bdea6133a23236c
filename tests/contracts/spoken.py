"""What the sources themselves say to the bus: the subjects they name and the questions they ask."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from contracts import subjects
from contracts.documents.surface import API, FACTS, OPS, QUESTIONS, Party

ROOT: Final = Path(__file__).parents[2]
SUBJECTS: Final = "contracts.subjects"

Asked = tuple[str, str, str]  # verb, request, view


def named(service: Party) -> set[str]:
    """Return the names of all that the sources of a service take from `contracts.subjects`."""
    package = str(service).replace("-", "_")
    found: set[str] = set()
    for tree in _trees(ROOT / "services" / service / "src" / package):
        found.update(_imported(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                found.update([node.attr] if node.value.id == "subjects" else [])
    return found


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == SUBJECTS:
            yield from (alias.name for alias in node.names)


def promised(service: Party) -> tuple[set[str], set[str]]:
    """Return the same names by the table: what the service says first, and what it hears."""
    said = [one.address for one in FACTS if service in one.written_by]
    said += [one.address for one in QUESTIONS if service in one.asked_by]
    heard = [one.address for one in FACTS if one.read_by is service]
    heard += [one.address for one in QUESTIONS if one.answered_by is service]
    return {_constant(one) for one in said}, {_constant(one) for one in heard}


def _constant(address: str) -> str:
    made = {"api": "api", "ops": "ops", "jobs": "job_event", "orphans": "orphan_event"}
    name = made.get(address.partition(".")[0])
    return name or next(key for key, value in vars(subjects).items() if value == address)


def asked(sources: Path) -> Iterator[Asked]:
    """Return the questions that calls in these sources spell out, with request and view."""
    verbs = API.keys() | OPS.keys()
    for tree in _trees(sources):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                words = [one.value for one in node.args if isinstance(one, ast.Constant)]
                classes = [
                    one.id for one in node.args if isinstance(one, ast.Name) and one.id[0].isupper()
                ]
                for verb in verbs.intersection(word for word in words if isinstance(word, str)):
                    if len(classes) > 1:
                        yield verb, classes[0], classes[1]


def _trees(sources: Path) -> Iterator[ast.Module]:
    for path in sorted(sources.rglob("*.py")):
        yield ast.parse(path.read_text("utf-8"), filename=str(path))
