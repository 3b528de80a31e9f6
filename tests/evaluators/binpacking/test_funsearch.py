"""FunSearch's heuristics with two unused bins equal those in its own setting, with a bin for every item."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.base import WorkloadError
from evaluators.binpacking import funsearch
from evaluators.binpacking.stream import Stream


def or_scores(item: int, free: list[int]) -> list[Fraction]:
    limits = [(2, "4"), (3, "3"), (5, "2"), (7, "1"), (9, "0.9"), (12, "0.95"), (15, "0.97"), (21, "0.98")]
    return [next((Fraction(s) for limit, s in limits if r - item <= limit), Fraction("0.99")) for r in free]


def weibull_scores(item: int, free: list[int]) -> list[Fraction]:
    largest = max(free)
    raw = []
    for r in free:
        s = Fraction((r - largest) ** 2, item) + Fraction(r * r, item**2) + Fraction(r * r, item**3)
        raw.append(-s if r > item else s)
    return [s - before for s, before in zip(raw, [Fraction(0), *raw], strict=False)]


def in_its_own_setting(scores, items: list[int], capacity: int) -> int:
    free = [capacity] * len(items)
    for item in items:
        fitting = [b for b, space in enumerate(free) if space >= item]
        values = scores(item, [free[b] for b in fitting])
        free[fitting[values.index(max(values))]] -= item
    return sum(space != capacity for space in free)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_equals_its_own_setting(data: st.DataObject) -> None:
    capacity = data.draw(st.integers(1, 200))
    items = data.draw(st.lists(st.integers(1, capacity), min_size=1, max_size=60))
    stream = Stream("drawn", np.array(items, dtype=np.int64), capacity)
    for name, scores in (("funsearch_or", or_scores), ("funsearch_weibull", weibull_scores)):
        score = funsearch.score(name, stream)
        assert score.details["bins"] == in_its_own_setting(scores, items, capacity), name


def test_capacities_beyond_exact_products() -> None:
    with pytest.raises(WorkloadError, match="up to 30,000, not 30,001"):
        funsearch.score("funsearch_or", Stream("s", np.array([1]), 30_001))
