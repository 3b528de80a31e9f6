"""The tuner of marked constants."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metamuse.policy.constants import Constant, marked_constants, with_values
from metamuse.tuning import Values, tune

SHARE = Constant("SHARE", 0.5, 0.01, 0.99, False, 1)
LEVELS = Constant("LEVELS", 4, 1, 12, False, 2)
RATE = Constant("RATE", 0.1, 1e-4, 1.0, True, 3)
ALL = {c.name: c for c in (SHARE, LEVELS, RATE)}


def valley(values: Values) -> float:
    """Best at SHARE = 0.2, LEVELS = 9."""
    return -((values["SHARE"] - 0.2) ** 2) - 0.01 * (values["LEVELS"] - 9) ** 2


def test_finds_better_constants_than_the_defaults() -> None:
    found = tune(ALL, valley, trials=50, seed=1)
    assert found is not None and found.default == pytest.approx(valley({"SHARE": 0.5, "LEVELS": 4}))
    assert found.objective > -0.05
    assert found.objective == valley(found.values)
    assert (tuple(found.values.values()), found.objective) in found.tried


def test_is_a_function_of_the_seed() -> None:
    first, again, other = (tune(ALL, valley, trials=20, seed=s) for s in (3, 3, 4))
    assert first == again
    assert first is not None and other is not None and first.values != other.values


def test_never_does_worse_than_the_defaults_and_stays_in_range() -> None:
    asked: list[Values] = []

    def flat(values: Values) -> float:
        asked.append(values)
        return 0.0

    found = tune(ALL, flat, trials=30, seed=0)
    assert found is not None
    assert found.values == {"SHARE": 0.5, "LEVELS": 4, "RATE": 0.1}, "the first of equals is the default"
    assert len(asked) <= 30
    for values in asked:
        for name, constant in ALL.items():
            assert constant.low <= values[name] <= constant.high
            assert type(values[name]) is type(constant.value)


def test_asks_equal_values_once() -> None:
    asked = []

    def objective(values: Values) -> float:
        asked.append(values["K"])
        return float(-values["K"])

    found = tune({"K": Constant("K", 2, 1, 3, False, 1)}, objective, trials=40, seed=0)
    assert found is not None and found.values == {"K": 1}
    assert sorted(asked) == [1, 2, 3]


def test_failing_trials_are_counted_and_passed_over() -> None:
    def fragile(values: Values) -> float | None:
        return None if values["LEVELS"] > 6 else float(values["LEVELS"])

    found = tune({"LEVELS": LEVELS}, fragile, trials=40, seed=2)
    assert found is not None and found.values == {"LEVELS": 6} and found.failed > 0
    assert tune({"LEVELS": LEVELS}, lambda values: None, trials=5, seed=2) is None


SOURCE = '''"""Ünïcode before the constants."""

SHARE = 0.25  # tune: 0.05..0.95 log
DEPTH: int = 4   # tune: 1..16
BIAS = -1.5  # tune: -2..2
FIXED = 7


class Policy:
    """SHARE = 0.25 is only text here."""
'''


def test_values_are_written_where_they_stand() -> None:
    text = with_values(SOURCE, {"SHARE": 0.5, "DEPTH": 9, "BIAS": 1.25})
    assert "SHARE = 0.5  # tune: 0.05..0.95 log\n" in text
    assert "DEPTH: int = 9   # tune: 1..16\n" in text
    assert "BIAS = 1.25  # tune: -2..2\n" in text
    assert "FIXED = 7\n" in text and '"""SHARE = 0.25 is only text here."""' in text
    assert with_values(text, {"SHARE": 0.25, "DEPTH": 4, "BIAS": -1.5}) == SOURCE


def test_values_are_found_where_python_ends_lines() -> None:
    text = with_values("# page\x0cbreak \u2028 mark\r\nA = 0.5  # tune: 0..1\n", {"A": 0.7})
    assert text == "# page\x0cbreak \u2028 mark\r\nA = 0.7  # tune: 0..1\n"
    assert with_values("A = (\n    0.5  # tune: 0..1\n)\n", {"A": 0.7}) == "A = (\n    0.7  # tune: 0..1\n)\n"


@given(
    st.floats(0.05, 0.95),
    st.integers(1, 16),
    st.floats(-2, 2),
)
def test_written_values_are_read_back_exactly(share: float, depth: int, bias: float) -> None:
    text = with_values(SOURCE, {"SHARE": share, "DEPTH": depth, "BIAS": bias})
    found = marked_constants(text, ast.parse(text))
    assert {n: c.value for n, c in found.items()} == {"SHARE": share, "DEPTH": depth, "BIAS": bias}
