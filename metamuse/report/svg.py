"""Small charts as inline SVG. Colours come from the page's style sheet, so that light and dark both work."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

WIDTH = 720
#: Where a logarithmic axis of costs ends.
_LEAST = 0.1


@dataclass(frozen=True)
class Scale:
    """Maps values to pixels, linearly.

    Attributes:
        low: Value at ``start``.
        high: Value at ``end``.
        start: Pixel of ``low``.
        end: Pixel of ``high``.
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The pixel of a value; values outside are clamped to the edge."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)

    @classmethod
    def over(cls, values: Sequence[float], start: float, end: float) -> Scale:
        """Over the extent of some values, with a margin."""
        low, high = min(values), max(values)
        margin = 0.04 * (high - low) or 1.0
        return cls(low - margin, high + margin, start, end)

    def ticks(self, about: int = 6) -> list[float]:
        """Round values inside."""
        raw = (self.high - self.low) / about
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
        first = math.ceil(self.low / step)
        return [i * step for i in range(first, math.floor(self.high / step) + 1)]


def _text(x: float, y: float, text: str, anchor: str = "start", css: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{css}">{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"/>'


def _figure(height: float, label: str, parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'


def _number(value: float) -> str:
    return f"{value:.6g}".replace("-", "−")


@dataclass(frozen=True)
class Box:
    """One row of a box plot.

    Attributes:
        label: Its name.
        values: What is summarised.
        css: ``solution``, ``baseline`` or ``bound``.
    """

    label: str
    values: np.ndarray
    css: str


def boxes(rows: Sequence[Box], unit: str) -> str:
    """Horizontal box plots, one a row: box = quartiles, line = median, whiskers = 5 % and 95 %, dot = mean."""
    left, row_height, top = 190.0, 24.0, 8.0
    bottom = top + row_height * len(rows)
    edges = _edges(rows)
    x = Scale.over([*(max(edge, _floor(max(edges))) for edge in edges), 0.0], left, WIDTH - 12)
    parts = []
    for tick in x.ticks():
        parts.append(_line(x(tick), top, x(tick), bottom, "zero" if tick == 0 else "grid"))
        parts.append(_text(x(tick), bottom + 16, _number(tick), "middle", "tick"))
    parts.append(_text((left + WIDTH) / 2, bottom + 34, unit, "middle", "axis"))
    for i, row in enumerate(rows):
        middle = top + row_height * (i + 0.5)
        low, q1, median, q3, high = (
            x(float(q)) for q in np.quantile(row.values, [0.05, 0.25, 0.5, 0.75, 0.95])
        )
        title = f"{row.label}: mean {row.values.mean():.2f}, median {np.median(row.values):.2f}"
        parts.append(
            f'<g class="box {row.css}"><title>{escape(title)}</title>'
            + _text(left - 10, middle + 4, _cut(row.label, 25), "end", "name")
            + _line(low, middle, high, middle, "whisker")
            + f'<rect x="{q1:.1f}" y="{middle - 7:.1f}" width="{max(q3 - q1, 1):.1f}" height="14" rx="2"/>'
            + _line(median, middle - 7, median, middle + 7, "median")
            + f'<circle cx="{x(float(row.values.mean())):.1f}" cy="{middle:.1f}" r="3"/></g>'
        )
    return _figure(bottom + 42, f"Box plots: {unit}", parts)


def _edges(rows: Sequence[Box]) -> list[float]:
    """Ends of the whiskers; a bound far beyond all others, which would flatten them, ends at twice the largest of theirs."""
    ends = [(row, float(q)) for row in rows for q in np.quantile(row.values, [0.05, 0.95])]
    most = max((end for row, end in ends if row.css != "bound"), default=0.0)
    return [min(end, 2 * most) if row.css == "bound" and most > 0 else end for row, end in ends]


@dataclass(frozen=True)
class Point:
    """One mark of a scatter plot.

    Attributes:
        label: Its name.
        x: Cost, above 0.
        y: Value.
        css: ``solution`` or ``baseline``.
        named: Whether its label is written beside it.
    """

    label: str
    x: float
    y: float
    css: str
    named: bool


def scatter(points: Sequence[Point], x_label: str, y_label: str) -> str:
    """Points over a logarithmic cost axis; the labels of some are written, all are shown on hovering."""
    left, top, bottom = 60.0, 14.0, 300.0
    x = Scale.over([math.log10(max(p.x, _LEAST)) for p in points], left, WIDTH - 12)
    most = max(p.y for p in points)
    y = Scale.over([max(p.y, _floor(most)) for p in points], bottom, top)
    parts = []
    for tick in y.ticks(5):
        parts.append(_line(left, y(tick), WIDTH - 12, y(tick), "zero" if tick == 0 else "grid"))
        parts.append(_text(left - 8, y(tick) + 4, _number(tick), "end", "tick"))
    for value in (m * 10.0**e for e in range(-1, 9) for m in (1, 2, 5)):
        if x.low <= math.log10(value) <= x.high:
            parts.append(_line(x(math.log10(value)), top, x(math.log10(value)), bottom, "grid"))
            parts.append(_text(x(math.log10(value)), bottom + 16, _number(value), "middle", "tick"))
    taken: list[tuple[float, float, float]] = []
    for point in sorted(points, key=lambda p: -p.y):
        at_x, at_y = x(math.log10(max(point.x, _LEAST))), y(point.y)
        title = f"{point.label}: {point.y:.2f} at {point.x:.0f}"
        parts.append(
            f'<g class="point {point.css}"><title>{escape(title)}</title>'
            f'<circle cx="{at_x:.1f}" cy="{at_y:.1f}" r="{4.5 if point.named else 3}"/></g>'
        )
        label = _cut(point.label, 25)
        width = 6.5 * len(label)
        start = at_x + 8 if at_x + 8 + width < WIDTH else at_x - 8 - width
        free = all(abs(at_y - y) > 12 or start > right or start + width < left for y, left, right in taken)
        if point.named and free:
            end = start < at_x
            parts.append(_text(at_x + (-8 if end else 8), at_y + 4, label, "end" if end else "start", "tick"))
            taken.append((at_y, start, start + width))
    parts.append(_line(left, bottom, WIDTH - 12, bottom, "base"))
    parts.append(_text((left + WIDTH) / 2, bottom + 34, x_label, "middle", "axis"))
    parts.append(_text(left, top - 4, y_label, "start", "axis"))
    return _figure(bottom + 42, f"{y_label} over {x_label}", parts)


def progress(gains: Sequence[float | None], level: float | None, level_name: str, unit: str) -> str:
    """Gain of every solution (dots) and the best so far (line) over solutions; ``level`` is a rival's gain."""
    known = [g for g in gains if g is not None]
    left, top, bottom = 60.0, 12.0, 230.0
    # Outliers far below would flatten what matters; they are drawn at the edge.
    floor = float(np.quantile(known, 0.05))
    y = Scale.over([floor, max(known), *([] if level is None else [level])], bottom, top)
    x = Scale(0, max(1, len(gains)), left, WIDTH - 12)
    parts = []
    for tick in y.ticks(5):
        parts.append(_line(left, y(tick), WIDTH - 12, y(tick), "zero" if tick == 0 else "grid"))
        parts.append(_text(left - 8, y(tick) + 4, _number(tick), "end", "tick"))
    best = -math.inf
    points: list[str] = []
    for i, gain in enumerate(gains):
        if gain is None:
            parts.append(f'<path d="M{x(i + 0.5) - 3:.1f} {bottom - 3:.1f}l6 6m0 -6l-6 6" class="failed"/>')
            continue
        parts.append(f'<circle cx="{x(i + 0.5):.1f}" cy="{y(gain):.1f}" r="2.5" class="dot"/>')
        best = max(best, gain)
        points.append(f"{'L' if points else 'M'}{x(i + 0.5):.1f} {y(best):.1f}")
    steps = points[0] + "".join(f"H{p[1:].split()[0]}V{p.split()[1]}" for p in points[1:])
    parts.append(f'<path d="{steps}H{x(len(gains)):.1f}" class="best"/>')
    if level is not None:
        parts.append(_line(left, y(level), WIDTH - 12, y(level), "level"))
        parts.append(
            _text(WIDTH - 14, y(level) - 5, f"{level_name}, the best baseline", "end", "tick level-name")
        )
    parts += _axis(x, bottom, "solution")
    parts.append(_text(left, top - 2, unit, "start", "axis"))
    return _figure(bottom + 42, f"Gain over solutions: {unit}", parts)


def curves(solutions: Sequence[int], executable: Sequence[int], distinct: Mapping[str, Sequence[int]]) -> str:
    """Executable and distinct solutions over solutions, a line a tolerance, the strictest the boldest."""
    left, right, top, bottom = 60.0, WIDTH - 124.0, 14.0, 210.0
    n = max(1, solutions[-1])
    x, y = Scale(0, n, left, right), Scale(0, n, bottom, top)
    parts = []
    for tick in y.ticks(4):
        parts.append(_line(left, y(tick), right, y(tick), "grid"))
        parts.append(_text(left - 8, y(tick) + 4, _number(tick), "end", "tick"))
    parts.append(_line(x(0), y(0), x(n), y(n), "level"))
    lines = [("executable", executable, "executable", 1.0)]
    lines += [(key, counts, "best", 1 - 0.22 * i) for i, (key, counts) in enumerate(distinct.items())]
    below = 0.0
    for name, counts, css, strength in lines:
        steps = "".join(f"L{x(at):.1f} {y(count):.1f}" for at, count in zip(solutions, counts, strict=True))
        title = f"<title>{escape(name)}: {counts[-1]}</title>"
        path = f'<path d="M{x(0):.1f} {y(0):.1f}{steps}" class="{css}" stroke-opacity="{strength:.2f}">'
        parts.append(f"{path}{title}</path>")
        # Names stand at the ends of their lines, moved down where they would touch.
        below = max(below + 14, y(counts[-1]) + 4)
        parts.append(_text(right + 6, below, f"{name}: {counts[-1]:,}", "start", "tick"))
    parts += _axis(x, bottom, "solution")
    return _figure(max(bottom + 42, below + 8), "Executable and distinct solutions", parts)


def bars(rows: Sequence[tuple[str, float, str]]) -> str:
    """Horizontal bars of (name, share in [0, 1], text at its end), scaled to the largest."""
    left, right, height, top = 130.0, WIDTH - 60.0, 22.0, 4.0
    bottom = top + height * len(rows)
    x = Scale(0, max(max(share for _, share, _ in rows), 1e-9), left, right)
    parts = [_line(left, top, left, bottom, "base")]
    for i, (name, share, shown) in enumerate(rows):
        y = top + height * i
        parts.append(_text(left - 10, y + 15, _cut(name, 18), "end", "name"))
        width = x(share) - left
        parts.append(f'<rect x="{left:.1f}" y="{y + 4:.1f}" width="{width:.1f}" height="14" class="share"/>')
        parts.append(_text(x(share) + 8, y + 15, shown, "start", "tick"))
    return _figure(bottom + 6, "Shares: " + ", ".join(f"{name} {shown}" for name, _, shown in rows), parts)


@dataclass(frozen=True)
class Series:
    """One line of a chart, or one row of bars in each of its groups.

    Attributes:
        label: Its name.
        values: What is drawn.
        css: ``solution``, ``baseline`` or ``bound``.
    """

    label: str
    values: Sequence[float]
    css: str


def lines(
    series: Sequence[Series],
    span: tuple[float, float],
    x_label: str,
    y_label: str,
    level: tuple[str, float] | None,
) -> str:
    """Lines at equal steps over ``span``, from zero up; ``level`` is a horizontal line with a name."""
    left, top, bottom = 60.0, 30.0, 250.0
    highest = max([v for one in series for v in one.values] + ([] if level is None else [level[1]]))
    x = Scale(span[0], span[1] if span[1] > span[0] else span[0] + 1.0, left, WIDTH - 12)
    y = Scale(0.0, 1.04 * highest or 1.0, bottom, top)
    parts = []
    for tick in y.ticks(5):
        parts.append(_line(left, y(tick), WIDTH - 12, y(tick), "grid"))
        parts.append(_text(left - 8, y(tick) + 4, _number(tick), "end", "tick"))
    # The first one lies on top. By colour alone they would be alike to some eyes: each has its own dashes.
    for number, one in reversed(list(enumerate(series))):
        step = (x.high - x.low) / max(1, len(one.values) - 1)
        path = "L".join(f"{x(x.low + i * step):.1f} {y(v):.1f}" for i, v in enumerate(one.values))
        parts.append(
            f'<path d="M{path}" class="line {one.css} n{number}"><title>{escape(one.label)}</title></path>'
        )
    if level is not None:
        parts.append(_line(left, y(level[1]), WIDTH - 12, y(level[1]), "level"))
    parts += [
        *_axis(x, bottom, x_label),
        _text(left, top - 18, y_label, "start", "axis"),
        *_legend(series, top - 18, "" if level is None else level[0], dashes=True),
    ]
    return _figure(bottom + 42, f"{y_label} over {x_label}", parts)


def groups(names: Sequence[str], series: Sequence[Series], unit: str) -> str:
    """Horizontal bars: a group for every name, in it a bar of each series."""
    left, top, thick = 190.0, 30.0, 7.0
    height = thick * len(series) + 8
    bottom = top + height * len(names)
    x = Scale(0, max(max(v for one in series for v in one.values), 1e-9), left, WIDTH - 60)
    parts = []
    for tick in x.ticks():
        parts.append(_line(x(tick), top, x(tick), bottom, "grid"))
        parts.append(_text(x(tick), bottom + 16, _number(tick), "middle", "tick"))
    for i, name in enumerate(names):
        at = top + height * i + 4
        parts.append(_text(left - 10, at + height / 2, _cut(name, 25), "end", "name"))
        for j, one in enumerate(series):
            title = f"{name}, {one.label}: {one.values[i]:.3g}"
            parts.append(
                f'<rect x="{left:.1f}" y="{at + thick * j:.1f}" width="{x(one.values[i]) - left:.1f}"'
                f' height="{thick - 1:.1f}" class="bar-of {one.css} n{j}"><title>{escape(title)}</title></rect>'
            )
    parts += [_text((left + WIDTH) / 2, bottom + 34, unit, "middle", "axis"), *_legend(series, top - 18)]
    return _figure(bottom + 42, f"{unit}: " + ", ".join(names), parts)


#: Shades of coloured cells, from the least value to the largest.
_SHADES = 12


def cells(
    series: Series,
    values: Sequence[Sequence[float | None]],
    rows: Sequence[str],
    span: tuple[float, float],
    labels: tuple[str, str, str],
) -> str:
    """Cells in rows, darker where the number is larger, and bars above them.

    Args:
        series: Whose they are; its values are the bars above the columns, none if there are none.
        values: Numbers by row and column, None where there is none (an empty cell).
        rows: Names of the rows.
        span: Where the first column begins and the last one ends.
        labels: What the columns, the cells and the bars are.
    """
    x_label, unit, above = labels
    left = 150.0 if any(rows) else 30.0
    columns = max(len(row) for row in values)
    top = 76.0 if series.values else 34.0
    height = min(26.0, max(7.0, 260.0 / len(values)))
    width = (WIDTH - 12 - left) / columns
    bottom = top + height * len(values)
    known = [v for row in values for v in row if v is not None]
    low, high = min(known, default=0.0), max(known, default=1.0)
    shades: dict[int, list[str]] = {}
    parts = [
        _text(left, 14, f"{series.label}: {unit}, {low:.3g} (light) to {high:.3g} (dark)", "start", "name")
    ]
    for i, row in enumerate(values):
        if i < len(rows) and rows[i]:
            parts.append(_text(left - 8, top + height * (i + 0.5) + 4, _cut(rows[i], 21), "end", "tick"))
        for j, value in enumerate(row):
            if value is not None:
                shade = round((_SHADES - 1) * (value - low) / (high - low)) if high > low else _SHADES - 1
                box = f"M{left + width * j:.1f} {top + height * i:.1f}h{width - 0.6:.1f}v{height - 0.6:.1f}h{0.6 - width:.1f}z"
                shades.setdefault(shade, []).append(box)
    for shade, boxes in sorted(shades.items()):
        strength = 0.06 + 0.94 * shade / (_SHADES - 1)
        parts.append(
            f'<path d="{"".join(boxes)}" fill="currentColor" class="{series.css}" fill-opacity="{strength:.2f}"/>'
        )
    most = max(series.values, default=0.0)
    for j, value in enumerate(series.values):
        tall = 34.0 * value / most if most > 0 else 0.0
        if tall >= 0.05:
            parts.append(
                f'<rect x="{left + width * j:.1f}" y="{top - 4 - tall:.1f}" width="{width - 0.6:.1f}" height="{tall:.1f}"'
                ' class="bar-of bound"/>'
            )
    if series.values:
        parts.append(_text(WIDTH - 14, 30, f"{above}, up to {most:.3g}", "end", "level-name tick"))
    parts += _axis(Scale(span[0], span[1], left, WIDTH - 12), bottom + 3, x_label)
    return _figure(bottom + 45, f"{series.label}: {unit}", parts)


def plane(points: Sequence[Point], x_label: str, y_label: str) -> str:
    """Points over two linear axes, both from the least value; those that no other beats in both are joined."""
    left, top, bottom = 60.0, 24.0, 300.0
    x = Scale.over([p.x for p in points], left, WIDTH - 12)
    y = Scale.over([p.y for p in points], bottom, top)
    parts = []
    for tick in y.ticks(5):
        parts.append(_line(left, y(tick), WIDTH - 12, y(tick), "zero" if tick == 0 else "grid"))
        parts.append(_text(left - 8, y(tick) + 4, _number(tick), "end", "tick"))
    least = math.inf
    front = []
    for point in sorted(points, key=lambda p: (p.x, p.y)):
        if point.y < least:
            least = point.y
            front.append(f"{x(point.x):.1f} {y(point.y):.1f}")
    parts.append(f'<path d="M{"L".join(front)}" class="level" fill="none"/>')
    taken: list[tuple[float, float, float]] = []
    for point in sorted(points, key=lambda p: (not p.named, p.y)):
        title = f"{point.label}: {point.x:.4g}, {point.y:.4g}"
        parts.append(
            f'<g class="point {point.css}"><title>{escape(title)}</title>'
            f'<circle cx="{x(point.x):.1f}" cy="{y(point.y):.1f}" r="{4.5 if point.named else 3}"/></g>'
        )
        label = _cut(point.label, 25)
        width = 6.5 * len(label)
        end = x(point.x) + 8 + width > WIDTH
        start = x(point.x) - 8 - width if end else x(point.x) + 8
        at = y(point.y) + 4
        if point.named and all(abs(at - a) > 12 or start > b or start + width < c for a, c, b in taken):
            parts.append(_text(x(point.x) + (-8 if end else 8), at, label, "end" if end else "start", "tick"))
            taken.append((at, start, start + width))
    parts += [*_axis(x, bottom, x_label), _text(left, top - 10, y_label, "start", "axis")]
    return _figure(bottom + 42, f"{y_label} over {x_label}", parts)


@dataclass(frozen=True)
class Mark:
    """One place on a map.

    Attributes:
        label: Its name.
        x: To the right.
        y: Up.
        css: ``solution`` (a dot), ``baseline`` (a square) or ``bound`` (a triangle).
        named: Whether its label is written beside it, where there is room.
        title: Shown on hovering.
        href: Where a click leads, "" for nowhere.
    """

    label: str
    x: float
    y: float
    css: str
    named: bool
    title: str
    href: str = ""


def map_of(marks: Sequence[Mark], x_label: str, y_label: str) -> str:
    """Places in a plane whose axes have no unit of their own."""
    left, top, bottom = 30.0, 24.0, 420.0
    x = Scale.over([m.x for m in marks], left + 10, WIDTH - 22)
    y = Scale.over([m.y for m in marks], bottom - 10, top + 10)
    parts = [_line(left, bottom, WIDTH - 12, bottom, "base"), _line(left, top, left, bottom, "base")]
    taken: list[tuple[float, float, float]] = []
    names = []
    for mark in sorted(marks, key=lambda m: (m.named, m.css == "solution")):  # names above, the winner last
        at_x, at_y = x(mark.x), y(mark.y)
        shape = _SHAPES[mark.css](at_x, at_y, 5.0 if mark.named else 3.5)
        named = " named" if mark.named else ""
        drawn = f'<g class="point {mark.css}{named}"><title>{escape(mark.title)}</title>{shape}</g>'
        parts.append(f'<a href="{escape(mark.href)}">{drawn}</a>' if mark.href else drawn)
    for mark in sorted((m for m in marks if m.named), key=lambda m: m.css != "solution"):
        at_x, at_y = x(mark.x), y(mark.y)
        label = _cut(mark.label, 25)
        width = 6.5 * len(label)
        end = at_x + 9 + width > WIDTH
        start = at_x - 9 - width if end else at_x + 9
        if all(abs(at_y - a) > 12 or start > c or start + width < b for a, b, c in taken):
            names.append(_text(at_x + (-9 if end else 9), at_y + 4, label, "end" if end else "start", "tick"))
            taken.append((at_y, start, start + width))
    parts += [
        *names,
        _text((left + WIDTH) / 2, bottom + 20, x_label, "middle", "axis"),
        _text(left, top - 8, y_label, "start", "axis"),
    ]
    return _figure(bottom + 28, "Map of the solutions", parts)


@dataclass(frozen=True)
class Strip:
    """What was reached with values of one constant.

    Attributes:
        label: Its name.
        low, high: The values that it may have.
        log: Whether they are spread over a logarithmic axis.
        values: Those that were tried.
        before, best: The one in the text, and the one that reached most.
    """

    label: str
    low: float
    high: float
    log: bool
    values: Sequence[float]
    before: float
    best: float


def strips(rows: Sequence[Strip], reached: Sequence[float], unit: str) -> str:
    """One strip a constant: what was reached over its values; the weakest third at the lower edge."""
    left, each, gap = 170.0, 56.0, 34.0
    ordered = sorted(reached)
    low, high = ordered[len(ordered) // 3], ordered[-1]
    margin = 0.05 * (high - low) or 1.0
    parts = []
    for n, row in enumerate(rows):
        top = 22.0 + n * (each + gap)
        bottom = top + each
        y = Scale(low - margin, high + margin, bottom, top)
        at = math.log if row.log else float
        x = Scale(at(row.low), at(row.high), left, WIDTH - 24)
        parts.append(_text(left - 46, (top + bottom) / 2 + 4, _cut(row.label, 18), "end"))
        parts.append(_line(left, bottom, WIDTH - 24, bottom, "base"))
        for tick in (low, high):
            parts.append(_line(left, y(tick), WIDTH - 24, y(tick), "grid"))
            parts.append(_text(left - 6, y(tick) + 4, f"{tick:.1f}".replace("-", "−"), "end", "tick"))
        for value, anchor in ((row.low, "start"), (row.high, "end")):
            parts.append(_text(x(at(value)), bottom + 14, _number(value), anchor, "tick"))
        parts.append(_line(x(at(row.before)), top, x(at(row.before)), bottom, "level"))
        for value, gain in sorted(zip(row.values, reached, strict=True), key=lambda pair: pair[1]):
            title = f"{row.label} = {_number(value)}: {gain:.2f}"
            best = gain == high and value == row.best
            shape = (_square if best else _circle)(x(at(value)), y(gain), 5.0 if best else 3.0)
            parts.append(
                f'<g class="point {"bound" if best else "solution"}"><title>{escape(title)}</title>{shape}</g>'
            )
    parts.append(_text(0, 12, unit, "start", "axis"))
    return _figure(22 + len(rows) * (each + gap), "What was reached with values of each constant", parts)


def _circle(x: float, y: float, r: float) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}"/>'


def _square(x: float, y: float, r: float) -> str:
    return f'<rect x="{x - r:.1f}" y="{y - r:.1f}" width="{2 * r}" height="{2 * r}"/>'


def _triangle(x: float, y: float, r: float) -> str:
    return f'<path d="M{x - r:.1f} {y + r:.1f}L{x + r:.1f} {y + r:.1f}L{x:.1f} {y - r:.1f}Z"/>'


_SHAPES = {"solution": _circle, "baseline": _square, "bound": _triangle}


def _legend(series: Sequence[Series], at: float, level: str = "", dashes: bool = False) -> list[str]:
    """Names of series with their colours, to the right, and of a level if there is one: beside its line it would lie on others."""
    parts, x = [], WIDTH - 12.0
    if level:
        x -= 6.2 * len(level)
        parts.append(_text(x, at, level, "start", "tick level-name"))
        parts.append(_line(x - 24, at - 4, x - 5, at - 4, "level"))
        x -= 40
    for number, one in reversed(list(enumerate(series))):
        label = _cut(one.label, 34)
        x -= 6.2 * len(label)
        css = f"{one.css} n{number}"
        parts.append(_text(x, at, label, "start", "tick"))
        if dashes:
            parts.append(_line(x - 27, at - 4, x - 5, at - 4, f"line {css}"))
        else:
            parts.append(
                f'<rect x="{x - 14:.1f}" y="{at - 8:.1f}" width="9" height="9" class="bar-of {css}"/>'
            )
        x -= 43 if dashes else 30
    return parts


def _floor(most: float) -> float:
    """Where a scale of gains ends: a hopeless rival would flatten what matters, so it is drawn at the edge."""
    return -1.5 * most if most > 0 else -math.inf


def _axis(x: Scale, bottom: float, label: str) -> list[str]:
    parts = [_line(x.start, bottom, x.end, bottom, "base")]
    for tick in x.ticks(8):
        if tick == int(tick):
            parts.append(_text(x(tick), bottom + 16, _number(tick), "middle", "tick"))
    parts.append(_text((x.start + x.end) / 2, bottom + 34, label, "middle", "axis"))
    return parts


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
