"""The section on what the winner does over time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from metamuse import ranking
from metamuse.report import svg
from metamuse.report.atwork import _near
from metamuse.report.html import page
from metamuse.state import RunState
from problems.figures import Chart, Grid, Line, Shares, Tradeoff, as_data
from tests.metamuse.report.test_html import Checker, parsed
from tests.support.fake_run import FakeProblem, fake_state

TITLES = ("Cores", "By service", "Where it stormed")


def _figures(level: float) -> list[dict[str, Any]]:
    lines = [Line("", [level, 2.0, 3.0]), Line("in use", [1.0, 1.0, 1.0])]
    return [
        as_data(Chart(TITLES[0], "over time", "cores", "minute", 0.0, 60.0, lines, ("objective 2", 2.0))),
        as_data(
            Shares(TITLES[1], "means", "cores", ["front", "back"], {"": [level, 2.0], "in use": [0.5, 1.0]})
        ),
        as_data(
            Grid(TITLES[2], "where", "load", "day", 0.0, 2.0, ["a"], [[level, None]], [1.0, 2.0], "rain")
        ),
    ]


def _state(problem: FakeProblem) -> RunState:
    state = fake_state(problem)
    for entry in (ranking.best(problem, state), ranking.opponent(problem, state)):
        assert entry is not None
        state.apply(
            {
                "event": "watched",
                "at": state.began or 0.0,
                "id": entry.id,
                "result": {"figures": _figures(4.0)},
            }
        )
    return state


def _page(problem: FakeProblem, state: RunState) -> Checker:
    return parsed(page(problem, state, Path("r1")))


def test_both_policies_are_drawn_into_one_chart() -> None:
    problem = FakeProblem()
    state = _state(problem)
    text = _page(problem, state).text
    for title in TITLES:
        assert text.count(title) == 1
    assert "objective 2" in text
    assert text.count("in use") == 5  # in both legends, and on hovering over the line and two bars
    assert text.count("load, 4 (light) to 4 (dark)") == 2  # a grid each
    assert "At work" in text


def test_a_policy_without_figures_is_left_out() -> None:
    problem = FakeProblem()
    assert "At work" not in _page(problem, fake_state(problem)).text
    state = fake_state(problem)
    best = ranking.best(problem, state)
    assert best is not None
    state.apply(
        {
            "event": "watched",
            "at": state.began or 0.0,
            "id": best.id,
            "failure": ["timeout", "it took too long"],
        }
    )
    assert "At work" not in _page(problem, state).text


@pytest.mark.parametrize(
    "damage", [{"lines": {"": ["x"]}}, {"lines": None}, {"end": "x"}, {"level": [1]}, {"extra": 1}]
)
def test_a_damaged_figure_costs_a_sentence_and_not_the_report(damage: dict[str, Any]) -> None:
    problem = FakeProblem()
    state = _state(problem)
    best = ranking.best(problem, state)
    assert best is not None
    best.data["figures"][0] |= damage
    text = _page(problem, state).text
    assert "could not be drawn" in text
    assert TITLES[1] in text and "Leaderboard" in text


def test_the_front_has_every_policy_whose_details_are_known() -> None:
    class Traded(FakeProblem):
        tradeoff = Tradeoff("cores", "cores allocated", "late", "late, %", "Less is better.")

    problem = Traded()
    state = fake_state(problem)
    assert "Cores allocated" not in _page(problem, state).text
    best, rival = ranking.best(problem, state), ranking.best_baseline(problem, state)
    assert best is not None and rival is not None
    which = "holdout" if "holdout" in best.scores else "validation"
    for entry, cores in ((best, 3.0), (rival, 5.0)):
        for row in entry.scores[which].answered:
            row["details"] |= {"cores": cores, "late": 0.25}
    text = _page(problem, state).text
    assert "Cores allocated against late" in text
    assert f"{rival.id}: 5, 25" in text


def test_what_is_far_dearer_and_no_better_does_not_press_the_others_together() -> None:
    def point(label: str, x: float, y: float) -> svg.Point:
        return svg.Point(label, x, y, "baseline", True)

    cheap, usual, dear, sure = (
        point("a", 1.0, 9.0),
        point("b", 2.0, 5.0),
        point("c", 40.0, 5.0),
        point("d", 90.0, 0.0),
    )
    assert _near([cheap, usual, dear]) == ([cheap, usual], [dear])
    assert _near([cheap, usual, usual, sure]) == ([cheap, usual, usual, sure], [])
