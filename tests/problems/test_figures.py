"""Figures survive the way through a journal."""

from __future__ import annotations

import json

import pytest

from problems.figures import Chart, Figure, Grid, Line, Shares, as_data, from_data

CHART = Chart(
    "t", "c", "ms", "minute", 0.0, 3.0, [Line("", [1.0, 2.0]), Line("in use", [0.5, 0.25])], ("slo", 2.0)
)
SHARES = Shares("t", "c", "cores", ["a", "b"], {"": [1.0, 2.0], "in use": [0.5, 1.0]})

GRID = Grid("t", "c", "mm", "day", 0.0, 2.0, ["a", ""], [[1.0, None], [0.5, 0.25]], [3.0, 0.0], "rain")


@pytest.mark.parametrize("figure", [CHART, SHARES, GRID, Chart("t", "c", "y", "x", 0.0, 1.0, [])])
def test_what_was_written_is_read(figure: Figure) -> None:
    assert from_data(json.loads(json.dumps(as_data(figure)))) == figure


def test_numbers_are_written_with_four_digits() -> None:
    data = as_data(Chart("t", "c", "y", "x", 0.0, 1.0, [Line("", [1 / 3, 123456.0])]))
    assert data["lines"] == {"": [0.3333, 123500.0]}
