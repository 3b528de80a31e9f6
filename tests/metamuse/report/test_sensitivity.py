"""How much constants matter, told from the trials."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metamuse.report.html import page
from metamuse.report.sensitivity import FEWEST, thirds
from metamuse.state import RunState
from tests.support.fake_run import TRIED, FakeProblem, events


def report(tried: list[list[float | None]], folder: Path) -> str:
    """The report of a run whose tuned policies were tried so."""
    made = list(events(FakeProblem(), solutions=8, studied=True, failing=0.0))
    for event in made:
        if event["event"] == "tuned":
            event["result"]["tried"] = tried
            event["result"]["failed_trials"] = sum(row[-1] is None for row in tried)
    return page(FakeProblem(), RunState.fold(made), folder)


def test_the_trials_of_the_winner_are_shown(tmp_path: Path) -> None:
    """One row a constant: allowed, written, tuned, the values that were about as good."""
    shown = report(TRIED, tmp_path)
    assert "Do its constants matter?" in shown
    assert '<td class="r">0.31 to 0.33</td>' in shown
    assert (
        "7 choices of the constants on the validation workloads, 1 more in which the policy failed" in shown
    )
    assert "SHARE = 0.31: 9.00" in shown


def test_too_few_trials_say_nothing(tmp_path: Path) -> None:
    """Also where most of them failed."""
    assert "Do its constants matter?" not in report(TRIED[: FEWEST - 1], tmp_path)


def test_all_alike_is_no_effect(tmp_path: Path) -> None:
    """A constant that decides nothing is drawn without a division by zero."""
    shown = report([[value, 3.0] for value, _ in TRIED], tmp_path)
    assert '<td class="r">0.00</td>' in shown
    assert "0.05 to 0.95" in shown


def test_thirds() -> None:
    """The third with the largest values lost four points; ties are not torn apart."""
    assert thirds(np.arange(6.0), np.array([5.0, 5.0, 5.0, 5.0, 1.0, 1.0])) == 4.0
    assert thirds(np.ones(6), np.arange(6.0)) == 0.0


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(-100, 100)), min_size=3, max_size=40))
def test_thirds_do_not_depend_on_the_order_of_trials(rows: list[tuple[int, float]]) -> None:
    """The effect is at most the range of what was reached, however the trials are ordered."""
    values = np.array([float(v) for v, _ in rows])
    reached = np.array([g for _, g in rows])
    effect = thirds(values, reached)
    assert 0.0 <= effect <= np.ptp(reached) + 1e-9
    assert thirds(values[::-1], reached[::-1]) == pytest.approx(effect, abs=1e-9)
