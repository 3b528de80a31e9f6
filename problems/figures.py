"""What a problem shows of one policy at work: series that the hub draws and writes into the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        name: What it is; "" for what the policy itself did, which is named after the policy.
        values: At equal steps over the chart's axis, finite.
    """

    name: str
    values: Sequence[float]


@dataclass(frozen=True)
class Chart:
    """Lines over time.

    Attributes:
        title: Heading; charts of two policies with the same title are drawn as one.
        caption: What is to be seen, one or two sentences.
        y: What the values are, with the unit.
        x: What the axis is, with the unit.
        start: Where on it the first value is.
        end: Where the last one is.
        lines: The lines.
        level: Name and value of a horizontal line, such as an objective.
    """

    title: str
    caption: str
    y: str
    x: str
    start: float
    end: float
    lines: Sequence[Line]
    level: tuple[str, float] | None = None


@dataclass(frozen=True)
class Shares:
    """One number for each of several things.

    Attributes:
        title: Heading, as of a chart.
        caption: What is to be seen.
        unit: What the numbers are.
        values: Numbers by name; what the policy itself did is under "".
        names: Of the things, the most important first.
    """

    title: str
    caption: str
    unit: str
    names: Sequence[str]
    values: Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Grid:
    """Coloured cells in rows: who, and when or where.

    Attributes:
        title: Heading, as of a chart; every policy's grid is drawn, one below the other.
        caption: What is to be seen.
        unit: What the numbers in the cells are.
        x: What the columns are, with the unit.
        start: Where on that axis the first column begins.
        end: Where the last one ends.
        rows: Names of the rows, from above; "" for those that are not named.
        cells: Numbers by row and column, None where there is none.
        above: Numbers of the columns that are drawn as bars above the cells, such as rain; may be empty.
        above_name: What they are.
    """

    title: str
    caption: str
    unit: str
    x: str
    start: float
    end: float
    rows: Sequence[str]
    cells: Sequence[Sequence[float | None]]
    above: Sequence[float] = ()
    above_name: str = ""


@dataclass(frozen=True)
class Tradeoff:
    """Two details of scores that are bought with one another; less of both is better.

    Attributes:
        x: Name of the one detail, ``x_name`` what it is.
        y: Name of the other, ``y_name`` what it is.
        caption: What is to be seen.
    """

    x: str
    x_name: str
    y: str
    y_name: str
    caption: str


Figure = Chart | Shares | Grid


def as_data(figure: Figure) -> dict[str, object]:
    """A figure for a journal; :func:`from_data` makes it again."""
    if isinstance(figure, Grid):
        cells = [[None if cell is None else _short([cell])[0] for cell in row] for row in figure.cells]
        return {
            "title": figure.title,
            "caption": figure.caption,
            "unit": figure.unit,
            "x": figure.x,
            "start": figure.start,
            "end": figure.end,
            "rows": list(figure.rows),
            "cells": cells,
            "above": _short(figure.above),
            "above_name": figure.above_name,
        }
    if isinstance(figure, Shares):
        values = {name: _short(numbers) for name, numbers in figure.values.items()}
        return {
            "title": figure.title,
            "caption": figure.caption,
            "unit": figure.unit,
            "names": list(figure.names),
            "values": values,
        }
    return {
        "title": figure.title,
        "caption": figure.caption,
        "y": figure.y,
        "x": figure.x,
        "start": figure.start,
        "end": figure.end,
        "lines": {line.name: _short(line.values) for line in figure.lines},
        "level": None if figure.level is None else list(figure.level),
    }


def from_data(data: Mapping[str, object]) -> Figure:
    """The figure that :func:`as_data` wrote."""
    fields = dict(data)
    if "cells" in fields:
        return Grid(**fields)  # type: ignore[arg-type]
    if "names" in fields:
        return Shares(**fields)  # type: ignore[arg-type]
    fields["lines"] = [Line(name, values) for name, values in fields["lines"].items()]  # type: ignore[attr-defined]
    fields["level"] = None if fields["level"] is None else tuple(fields["level"])  # type: ignore[arg-type]
    return Chart(**fields)  # type: ignore[arg-type]


def _short(values: Sequence[float]) -> list[float]:
    return [float(f"{value:.4g}") for value in values]
