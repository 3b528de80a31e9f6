"""Charts show what they are given."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metamuse.report import svg

FINITE = st.floats(-1e6, 1e6)


@given(st.lists(FINITE, min_size=1, max_size=30))
def test_scales_have_round_ticks_inside(values: list[float]) -> None:
    scale = svg.Scale.over(values, 0, 100)
    ticks = scale.ticks()
    slack = 1e-9 * (scale.high - scale.low)
    assert all(scale.low - slack <= t <= scale.high + slack for t in ticks)
    assert 2 <= len(ticks) <= 8
    assert ticks == sorted(set(ticks))
    assert 0 <= scale(min(values)) <= scale(max(values)) <= 100


@given(
    st.lists(st.one_of(st.none(), FINITE), min_size=1, max_size=40).filter(
        lambda g: any(x is not None for x in g)
    ),
    FINITE,
)
def test_progress_draws_every_solution(gains: list[float | None], level: float) -> None:
    drawn = svg.progress(gains, level, "rival", "gain")
    ET.fromstring(drawn)
    assert drawn.count("<circle") == sum(g is not None for g in gains)
    assert drawn.count('class="failed"') == sum(g is None for g in gains)


def test_the_line_of_the_best_never_falls() -> None:
    drawn = svg.progress([1.0, 5.0, None, 2.0, 9.0], None, "", "gain")
    path = re.search(r'd="(M[^"]+)" class="best"', drawn)
    assert path is not None
    heights = [float(h) for h in re.findall(r"V([\d.]+)", path[1])]
    assert heights == sorted(heights, reverse=True)


@given(st.lists(st.lists(FINITE, min_size=1, max_size=20), min_size=1, max_size=5))
def test_boxes_have_a_row_each(rows: list[list[float]]) -> None:
    drawn = svg.boxes([svg.Box(f"<{i}>", np.array(r), "solution") for i, r in enumerate(rows)], "gain & more")
    root = ET.fromstring(drawn)
    assert len(root.findall("g")) == len(rows)


def test_quartiles_are_where_they_belong() -> None:
    values = np.arange(101.0)
    drawn = svg.boxes([svg.Box("a", values, "solution")], "gain")
    box = re.search(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', drawn)
    assert box is not None
    x = svg.Scale.over([5.0, 95.0, 0.0], 190.0, svg.WIDTH - 12)
    assert float(box[1]) == pytest.approx(x(25), abs=0.1)
    assert float(box[1]) + float(box[2]) == pytest.approx(x(75), abs=0.2)


def test_a_bound_far_beyond_flattens_nobody() -> None:
    near = svg.Box("a", np.arange(101.0) / 10, "solution")
    alone = svg.boxes([near], "gain")
    beside = svg.boxes([near, svg.Box("far", np.full(5, 1e6), "bound")], "gain")

    def width(drawn: str) -> float:
        box = re.search(r'<rect x="[\d.]+" y="[\d.]+" width="([\d.]+)"', drawn)
        assert box is not None
        return float(box[1])

    assert width(beside) == pytest.approx(width(alone) / 2, rel=0.05)


def test_curves_have_a_line_and_its_last_count_for_each_tolerance() -> None:
    drawn = svg.curves([1, 5, 9], [1, 4, 8], {"exact": [1, 4, 8], "within <0.1": [1, 2, 3]})
    root = ET.fromstring(drawn)
    titles = [path.findtext("title") for path in root.findall("path")]
    assert titles == ["executable: 8", "exact: 8", "within <0.1: 3"]
    names = [e for e in root.findall("text") if ": " in (e.text or "")]
    assert [e.text for e in names] == ["executable: 8", "exact: 8", "within <0.1: 3"]
    heights = [float(e.get("y", 0)) for e in names]
    assert all(below - above >= 14 for above, below in pairwise(heights))


def test_bars_are_as_long_as_their_shares() -> None:
    root = ET.fromstring(svg.bars([("a<b", 0.5, "50 %"), ("c", 0.25, "25 %"), ("d", 0.0, "0 %")]))
    widths = [float(rect.get("width", 0)) for rect in root.findall("rect")]
    assert widths[0] == pytest.approx(2 * widths[1], abs=0.2)
    assert widths[2] == 0


def test_lines_end_where_their_values_do() -> None:
    drawn = svg.lines(
        [svg.Series("a", [0.0, 4.0, 2.0], "solution")], (0.0, 60.0), "minute", "ms", ("slo", 3.0)
    )
    root = ET.fromstring(drawn)
    (path,) = root.findall("path")
    points = [tuple(map(float, p.split())) for p in (path.get("d") or "")[1:].split("L")]
    assert [x for x, _ in points] == pytest.approx([60.0, 384.0, svg.WIDTH - 12], abs=0.1)
    bottom, top, last = (y for _, y in points)
    assert last == pytest.approx((bottom + top) / 2, abs=0.1)
    assert path.findtext("title") == "a"
    (level,) = (text for text in root.findall("text") if text.text == "slo")
    assert float(level.get("y", "nan")) < top  # above the plot, where no line can cross it


def test_groups_have_a_bar_for_each_series() -> None:
    series = [svg.Series("a", [1.0, 3.0], "solution"), svg.Series("b", [2.0, 0.0], "baseline")]
    root = ET.fromstring(svg.groups(["one", "two"], series, "cores"))
    bars = [rect for rect in root.findall("rect") if rect.find("title") is not None]
    assert [rect.findtext("title") for rect in bars] == ["one, a: 1", "one, b: 2", "two, a: 3", "two, b: 0"]
    widths = [float(rect.get("width", 0)) for rect in bars]
    assert widths == pytest.approx([widths[2] / 3, 2 * widths[2] / 3, widths[2], 0.0], abs=0.2)


def test_the_front_of_a_plane_joins_what_nothing_beats() -> None:
    spots = [("a", 1.0, 5.0), ("b", 2.0, 6.0), ("c", 3.0, 1.0), ("d", 4.0, 1.0)]
    points = [svg.Point(label, x, y, "solution", True) for label, x, y in spots]
    root = ET.fromstring(svg.plane(points, "cores", "late"))
    (path,) = root.findall("path")
    assert (path.get("d") or "").count("L") == 1  # from a to c
    assert len(root.findall("g")) == 4


def test_cells_are_darker_where_there_is_more_and_empty_where_there_is_nothing() -> None:
    rain = svg.Series("a", [0.0, 3.0, 6.0], "solution")
    values = [[0.0, None, 2.0], [2.0, 1.0, None]]
    root = ET.fromstring(svg.cells(rain, values, ["one", "two"], (0.0, 3.0), ("day", "mm", "rain")))
    paths = sorted(root.findall("path"), key=lambda p: float(p.get("fill-opacity", 0)))
    assert [(p.get("d") or "").count("M") for p in paths] == [
        1,
        1,
        2,
    ]  # the least, the middle, the largest twice
    assert float(paths[-1].get("fill-opacity", 0)) == pytest.approx(1.0)
    heights = [float(rect.get("height", 0)) for rect in root.findall("rect")]
    assert heights == pytest.approx([17.0, 34.0])
    assert "a: mm, 0 (light) to 2 (dark)" in "".join(root.itertext())


def test_cells_that_are_all_alike_are_drawn() -> None:
    flat = svg.cells(svg.Series("a", [], "baseline"), [[1.0, 1.0]], [], (0.0, 2.0), ("node", "parts", ""))
    (path,) = ET.fromstring(flat).findall("path")
    assert (path.get("d") or "").count("M") == 2
