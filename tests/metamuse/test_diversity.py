"""Distinct counts, clusters, intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from metamuse import diversity, ranking


def test_distinct_counts_first_of_each_class() -> None:
    rows = np.array([[0.1, 0.2], [0.1, 0.2], [0.1, 0.2009], [0.1, 0.2021], [0.5, 0.5]])
    new = diversity.distinct(rows, list("abcde"))
    assert new.tolist() == [True, False, False, True, True]


def test_programs_equal_up_to_constants_count_once() -> None:
    rows = np.array([[0.1], [0.9], [0.5]])
    assert diversity.distinct(rows, ["same", "same", "other"]).tolist() == [True, False, True]


@given(arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(1, 4)), elements=st.floats(0, 1)))
def test_a_looser_tolerance_never_finds_more(rows: np.ndarray) -> None:
    names = [str(i) for i in range(len(rows))]
    counts = [int(diversity.distinct(rows, names, t).sum()) for t in diversity.CURVE]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == len({tuple(r) for r in rows})


def simple_distinct(embeddings: np.ndarray, structures: list[str], tolerance: float) -> list[bool]:
    """The definition, word by word."""
    kept: list[int] = []
    for i in range(len(embeddings)):
        known = any(structures[k] == structures[i] for k in kept)
        near = any(max(abs(embeddings[k] - embeddings[i])) <= tolerance for k in kept)
        if not known and not near:
            kept.append(i)
    return [i in kept for i in range(len(embeddings))]


@given(
    arrays(np.float64, st.tuples(st.integers(1, 150), st.integers(1, 4)), elements=st.floats(0, 0.03)),
    st.sampled_from(diversity.CURVE),
    st.integers(1, 200),
)
def test_distinct_is_what_its_definition_says(rows: np.ndarray, tolerance: float, names: int) -> None:
    structures = [str(i % names) for i in range(len(rows))]
    assert diversity.distinct(rows, structures, tolerance).tolist() == simple_distinct(
        rows, structures, tolerance
    )


def test_distinct_grows_past_what_it_has_room_for() -> None:
    rows = np.random.default_rng(0).normal(0.5, 0.004, size=(900, 5)).round(4)
    rows[300:320], rows[800:] = rows[:20], rows[500:600]
    structures = [str(i) for i in range(len(rows))]
    for tolerance in diversity.CURVE:
        expected = simple_distinct(rows, structures, tolerance)
        assert diversity.distinct(rows, structures, tolerance).tolist() == expected


def test_summary_names_clusters_and_entropy() -> None:
    centres = {"lru": np.array([0.0, 0.0]), "fifo": np.array([1.0, 1.0])}
    rows = np.array([[0.1, 0.0], [0.9, 1.0], [0.2, 0.1], [1.0, 0.9]])
    figures = diversity.summary(rows, list("abcd"), centres)
    assert figures["clusters"] == {"lru": 0.5, "fifo": 0.5}
    assert figures["entropy"] == pytest.approx(math.log(2), abs=1e-4)
    assert figures["distinct"]["exact"] == 4
    expected = np.mean(
        [np.linalg.norm(a - b) for i, a in enumerate(rows) for j, b in enumerate(rows) if i != j]
    )
    assert figures["mean_distance"] == pytest.approx(expected, abs=1e-6)


def test_summary_of_nothing() -> None:
    assert diversity.summary(np.zeros((0, 3)), [], {})["entropy"] == 0.0


def test_interval_covers_the_mean_and_is_repeatable() -> None:
    values = np.random.default_rng(0).normal(3, 1, 40)
    low, high = ranking.interval(values, 1)
    assert low < values.mean() < high
    assert (low, high) == ranking.interval(values, 1)
    width = 2 * 1.96 * values.std(ddof=1) / math.sqrt(40)
    assert high - low == pytest.approx(width, rel=0.2)
