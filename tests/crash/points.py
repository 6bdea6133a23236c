"""Names for every await of a module, and its source rewritten so that each says when it is reached.

A name is `module:function#n`, counted in source order within the function. Nothing is left out by
hand: whatever is awaited, entered or iterated asynchronously is found in the syntax tree.
"""

import ast
from collections import Counter
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

# What runs in the processes of the five services, but for contracts, which awaits nothing.
SERVICES: Final = ("callback_gateway", "deliverer", "job_store", "reconciler", "submitter")
LIBRARIES: Final = ("chassis", "kie")
AWAITED, ENTERED, ITERATED = "__crash_await__", "__crash_with__", "__crash_for__"


@dataclass(frozen=True, slots=True)
class Point:
    """One place where the event loop may be given away."""

    name: str
    line: int


def rewritten(source: str | bytes, module: str) -> ast.Module:
    """Return the module's tree with every point wrapped."""
    tree = ast.parse(source)
    return ast.fix_missing_locations(_Namer(module).visit(tree))


def points_of(module: str, source: str | bytes) -> list[Point]:
    """Name every point of a module."""
    namer = _Namer(module)
    namer.visit(ast.parse(source))
    return namer.points


def all_points() -> dict[str, Point]:
    """Name every point of everything that runs in a service."""
    return {
        point.name: point
        for package in (*SERVICES, *LIBRARIES)
        for module, path in _modules(package)
        for point in points_of(module, path.read_bytes())
    }


def _modules(package: str) -> list[tuple[str, Path]]:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(package)
    root = Path(spec.origin).parent
    return [(_module_name(package, root, path), path) for path in sorted(root.rglob("*.py"))]


def _module_name(package: str, root: Path, path: Path) -> str:
    inner = path.relative_to(root).with_suffix("").parts
    return ".".join((package, *(part for part in inner if part != "__init__")))


class _Namer(ast.NodeTransformer):
    def __init__(self, module: str) -> None:
        self.points: list[Point] = []
        self._module = module
        self._within: list[str] = []
        self._counts: Counter[str] = Counter()

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._in(node.name, node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._in(node.name, node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._in(node.name, node)

    def visit_Await(self, node: ast.Await) -> ast.AST:
        node.value = self._wrapped(AWAITED, node.value)
        return node

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        for item in node.items:
            item.context_expr = self._wrapped(ENTERED, item.context_expr)
        node.body = [self.visit(statement) for statement in node.body]
        return node

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        node.iter = self._wrapped(ITERATED, node.iter)
        node.body = [self.visit(statement) for statement in node.body]
        node.orelse = [self.visit(statement) for statement in node.orelse]
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        if not node.is_async:
            return self.generic_visit(node)
        node.iter = self._wrapped(ITERATED, node.iter)
        node.ifs = [self.visit(condition) for condition in node.ifs]
        return node

    def _in(self, name: str, node: ast.AST) -> ast.AST:
        self._within.append(name)
        self.generic_visit(node)
        self._within.pop()
        return node

    def _wrapped(self, how: str, value: ast.expr) -> ast.expr:
        function = ".".join(self._within)
        self._counts[function] += 1
        name = f"{self._module}:{function}#{self._counts[function]}"
        self.points.append(Point(name, value.lineno))
        inner: ast.expr = self.visit(value)
        call = ast.Call(ast.Name(how, ast.Load()), [ast.Constant(name), inner], [])
        return ast.copy_location(call, value)
