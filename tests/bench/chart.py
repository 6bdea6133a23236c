"""The figures as a picture, in SVG written by hand: what stands beside the yardstick, and beside targets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from bench.figures import Figure, Target
from bench.table import aim_of, with_unit

WIDTH, LEFT, RIGHT = 910, 358, 185  # of the picture, of the names, of the numbers
ROW, BAR, HEADING, FOOT = 22, 13, 58, 34
SPAN: Final = WIDTH - LEFT - RIGHT
SHORTEST, LONGEST = 1.5, 4.0  # times the line that fill the space; longer bars are cut, and told
MET, MISSED, PLAIN = "#2a6f97", "#d97706", "#8d99a6"
INK, FAINT, PAPER = "#1f2933", "#9aa5b1", "#ffffff"
FASTER: Final = "/s"
LEGEND: Final = (
    "blue: target met · orange: missed · grey: no target · upright mark: target · »: bar cut"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One bar; its length is a share of the vertical line's."""

    name: str
    share: float
    measured: str
    beside: str
    colour: str
    tick: float | None = None  # where the target stands


@dataclass(frozen=True, slots=True)
class Panel:
    """Bars that share a line."""

    title: str
    rows: Sequence[Row]

    @property
    def height(self) -> int:
        return HEADING + ROW * len(self.rows)

    @property
    def line(self) -> float:
        """How far from the left the line stands."""
        longest = max(max(row.share, row.tick or 0) for row in self.rows)
        return SPAN / min(max(longest, SHORTEST), LONGEST)


def drawn(figures: Sequence[Figure]) -> str:
    """Return the whole picture."""
    panels = [panel for panel in _panels(figures) if panel.rows]
    height = sum(panel.height for panel in panels) + FOOT
    parts = [_opening(height), f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>']
    top = 0
    for panel in panels:
        parts += _drawn(panel, top)
        top += panel.height
    parts.append(f'<text x="12" y="{top + 20}" font-size="11" fill="{FAINT}">{LEGEND}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _panels(figures: Sequence[Figure]) -> tuple[Panel, ...]:
    beside = [f for f in figures if f.ratio is not None and f.yardstick is not None]
    more = [_ratio_row(figure) for figure in beside if figure.unit == FASTER]
    less = [_ratio_row(figure) for figure in beside if figure.unit != FASTER]
    aimed = [
        _target_row(figure, figure.target)
        for figure in figures
        if figure.target is not None and not figure.target.of_ratio
    ]
    return (
        Panel("Beside the yardstick: more is better", more),
        Panel("Beside the yardstick: less is better", less),
        Panel("Beside the target", aimed),
    )


def _opening(height: int) -> str:
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    text = f'font-family="system-ui, sans-serif" font-size="12" fill="{INK}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {text}>'


def _ratio_row(figure: Figure) -> Row:
    ratio = figure.ratio or 0.0
    bound = figure.target.bound if figure.target is not None and figure.target.of_ratio else None
    return Row(
        _name(figure),
        ratio,
        with_unit(figure.value, figure.unit),
        f"{ratio:.2f} ×",
        _colour(figure) if bound is not None else PLAIN,
        tick=bound,
    )


def _target_row(figure: Figure, target: Target) -> Row:
    # Of nothing allowed anything is too much.
    over = LONGEST if figure.value else 0.0
    share = figure.value / target.bound if target.bound else over
    measured = with_unit(figure.value, figure.unit)
    return Row(_name(figure), share, measured, aim_of(figure), _colour(figure))


def _name(figure: Figure) -> str:
    return f"{figure.scenario}: {figure.name}"


def _colour(figure: Figure) -> str:
    return MET if figure.is_met else MISSED


def _drawn(panel: Panel, top: int) -> Iterator[str]:
    at, first, ends = LEFT + panel.line, top + HEADING, top + panel.height - 4
    yield f'<text x="12" y="{top + 30}" font-size="15" font-weight="600">{panel.title}</text>'
    for number, row in enumerate(panel.rows):
        yield from _bar(row, first + ROW * number, unit=panel.line)
    # Over the bars, so that a long one does not hide it.
    yield (
        f'<line x1="{at:.1f}" y1="{first - 6}" x2="{at:.1f}" y2="{ends}" stroke="{INK}" '
        f'stroke-dasharray="3 3"/>'
    )
    yield (
        f'<text x="{at:.1f}" y="{first - 10}" text-anchor="middle" font-size="10" '
        f'fill="{FAINT}">1 ×</text>'
    )


def _bar(row: Row, top: int, *, unit: float) -> Iterator[str]:
    length = min(row.share * unit, SPAN)
    base = top + BAR - 2
    numbers = LEFT + SPAN
    yield f'<text x="{LEFT - 10}" y="{base}" text-anchor="end">{escape(row.name)}</text>'
    yield (
        f'<rect x="{LEFT}" y="{top}" width="{max(length, 1):.1f}" height="{BAR}" rx="2" '
        f'fill="{row.colour}"/>'
    )
    if row.share * unit > SPAN:
        yield f'<text x="{numbers - 6}" y="{base}" text-anchor="end" fill="{PAPER}">»</text>'
    if row.tick is not None:
        at = LEFT + row.tick * unit
        yield (
            f'<line x1="{at:.1f}" y1="{top - 3}" x2="{at:.1f}" y2="{top + BAR + 3}" '
            f'stroke="{INK}" stroke-width="3"/>'
        )
    yield f'<text x="{numbers + 95}" y="{base}" text-anchor="end">{escape(row.measured)}</text>'
    yield f'<text x="{numbers + 172}" y="{base}" text-anchor="end">{escape(row.beside)}</text>'
