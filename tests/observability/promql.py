"""What a query asks for, read by a parser of PromQL."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import promql_parser
from promql_parser import AggregateExpr, Call, Expr, MatrixSelector, StringLiteral, VectorSelector

SYMBOLS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition of a selector."""

    metric: str
    label: str
    op: str
    value: str

    @property
    def wanted(self) -> tuple[str, ...]:
        """The values it names, one for each alternative."""
        return tuple(self.value.split("|")) if "~" in self.op else (self.value,)

    def names(self, values: Iterable[str]) -> bool:
        """Whether each of its alternatives is, or matches, one of these."""
        known = tuple(values)
        return all(any(re.fullmatch(one, value) for value in known) for one in self.wanted)


@dataclass(slots=True)
class Query:
    """The metrics, conditions and labels that stand in one query."""

    metrics: set[str] = field(default_factory=set)
    matchers: set[Matcher] = field(default_factory=set)
    grouped: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)  # labels that the query itself makes


def read(text: str) -> Query:
    """Read a query; `ValueError` when it is none."""
    query = Query()

    def note(expr: Expr) -> None:
        match expr:
            case MatrixSelector():
                _note_selector(query, expr.vector_selector)
            case VectorSelector():
                _note_selector(query, expr)
            case AggregateExpr() if expr.modifier is not None:
                query.grouped.update(expr.modifier.labels)
            case Call() if expr.func.name == "label_replace":
                made = expr.args[1]
                assert isinstance(made, StringLiteral)
                query.made.add(made.val)
            case _:
                pass

    promql_parser.walk(promql_parser.parse(text), note)
    return query


def _note_selector(query: Query, selector: VectorSelector) -> None:
    assert selector.name is not None, "a selector names its metric"
    query.metrics.add(selector.name)
    for each in selector.matchers.matchers:
        op = SYMBOLS[str(each.op).rpartition(".")[2]]
        query.matchers.add(Matcher(selector.name, each.name, op, each.value))
