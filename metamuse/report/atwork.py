"""What the winner and its opponent do over time, as the problem shows it: a section of the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from metamuse import ranking
from metamuse.report import svg
from metamuse.report.markup import Html, figure, paragraph, section, text
from metamuse.report.verdict import SET_NAMES
from metamuse.report.view import View
from metamuse.state import Entry
from problems.figures import Chart, Figure, Grid, Shares, from_data

#: How many times the median a policy may be to the right on the front.
_FAR = 3.0


def at_work(view: View) -> Html:
    """The figures that were recorded, and the front of what is bought with what."""
    parts = [*_recorded(view), _guarded(lambda: _front(view))]
    body = [part for part in parts if part]
    return section("At work", *body) if body else Html("")


def _recorded(view: View) -> list[Html]:
    """Both policies' figures, those of the same title as one."""
    if view.best is None:
        return []
    opponent = ranking.opponent(view.problem, view.state)
    entries = [e for e in (view.best, opponent) if e is not None and e.data.get("figures")]
    by_title: dict[str, list[tuple[Entry, dict[str, Any]]]] = {}
    for entry in entries:
        for data in entry.data["figures"]:
            by_title.setdefault(str(data.get("title")), []).append((entry, data))
    return [_guarded(lambda shown=shown: _drawn(shown)) for shown in by_title.values()]  # type: ignore[misc]


def _guarded(draw: Callable[[], Html]) -> Html:
    """A figure, or one sentence instead: what is wrong with it must not cost the report."""
    try:
        return draw()
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        return paragraph(f"A figure could not be drawn ({type(error).__name__}: {error}).", "note")


def _drawn(shown: Sequence[tuple[Entry, dict[str, Any]]]) -> Html:
    figures = [(entry, from_data(data)) for entry, data in shown]
    first = figures[0][1]
    if isinstance(first, Grid):
        heads = Html(f"<h3>{text(first.title)}</h3>{paragraph(first.caption, 'note')}")
        return Html(
            heads + "".join(_grid(entry, shown) for entry, shown in figures if isinstance(shown, Grid))
        )
    series = _series(figures)
    if isinstance(first, Shares):
        chart = svg.groups(first.names, series, first.unit)
    else:
        chart = svg.lines(series, (first.start, first.end), first.x, first.y, first.level)
    return Html(f"<h3>{text(first.title)}</h3>{paragraph(first.caption, 'note')}{figure(chart)}")


def _grid(entry: Entry, shown: Grid) -> Html:
    """One policy's cells, under its name."""
    css = "solution" if entry.discovered else "baseline"
    axis = (shown.start, shown.end)
    chart = svg.cells(
        svg.Series(entry.id, shown.above, css),
        shown.cells,
        shown.rows,
        axis,
        (shown.x, shown.unit, shown.above_name),
    )
    return Html(figure(chart))


def _series(figures: Sequence[tuple[Entry, Figure]]) -> list[svg.Series]:
    """What each policy did under its name; what is said besides is the first one's."""
    first = figures[0][1]
    series = []
    for entry, shown in figures:
        css = "solution" if entry.discovered else "baseline"
        own = _values(shown).get("")
        if own is not None:
            series.append(svg.Series(entry.id, own, css))
    return series + [svg.Series(name, values, "bound") for name, values in _values(first).items() if name]


def _values(shown: Figure) -> dict[str, Sequence[float]]:
    if isinstance(shown, Chart):
        return {line.name: line.values for line in shown.lines}
    return dict(shown.values) if isinstance(shown, Shares) else {}


def _front(view: View) -> Html:
    """Every policy by the two details that the problem names."""
    wanted = view.problem.tradeoff
    if wanted is None:
        return Html("")
    entries = [*view.state.contenders(), *view.state.rivals()]
    rows = [(e, e.scores[view.which].details) for e in entries if view.which in e.scores]
    known = [(e, details) for e, details in rows if all(wanted.x in d and wanted.y in d for d in details)]
    if len(known) < 2:
        return Html("")
    times = 100.0 if wanted.y_name.endswith("%") else 1.0
    points = [
        svg.Point(
            entry.id,
            sum(d[wanted.x] for d in details) / len(details),
            times * sum(d[wanted.y] for d in details) / len(details),
            "solution" if entry.discovered else "baseline",
            not entry.discovered or entry is view.best,
        )
        for entry, details in known
    ]
    title = f"{wanted.x_name} against {wanted.y_name}".replace(", %", "")
    caption = f"{wanted.caption} On the {SET_NAMES[view.which]} set."
    shown, far = _near(points)
    if far:
        caption += f" Beyond the right edge: {', '.join(f'{p.label} ({p.x:.4g})' for p in far)}."
    chart = svg.plane(shown, wanted.x_name, wanted.y_name)
    return Html(f"<h3>{text(title[0].upper() + title[1:])}</h3>{paragraph(caption, 'note')}{figure(chart)}")


def _near(points: Sequence[svg.Point]) -> tuple[list[svg.Point], list[svg.Point]]:
    """Points to draw, and those that would press them together: many times dearer, and no better for it."""
    most = _FAR * median(p.x for p in points)
    far = [p for p in points if p.x > most > 0.0 and any(o.x < p.x and o.y <= p.y for o in points)]
    return [p for p in points if p not in far], far
