"""Distinct counts, clusters, intervals."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from metamuse import diversity, ranking
from metamuse.diversity import Clusters, Coverage


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


def points(
    rows: tuple[int, int] = (1, 40), columns: tuple[int, int] = (1, 5)
) -> st.SearchStrategy[np.ndarray]:
    """Embeddings on a coarse grid, so that there are equal ones and ties."""
    return st.tuples(st.integers(*rows), st.integers(*columns)).flatmap(
        lambda shape: arrays(np.int64, shape, elements=st.integers(0, 40)).map(lambda a: a / 40)
    )


def test_a_cluster_is_what_lies_nearest() -> None:
    rows = np.array([[0.1, 0.0], [0.9, 1.0], [0.0, 0.3], [0.0, 0.0]])
    clusters = Clusters.around(rows, np.array([[0.0, 0.0], [1.0, 1.0], [5.0, 5.0]]))
    assert clusters.sizes.tolist() == [3, 1, 0]
    assert clusters.shares.tolist() == [0.75, 0.25, 0]
    assert clusters.distances == pytest.approx([0.1, 0.1, 0.3, 0.0])
    assert clusters.densities == pytest.approx([3 / 0.3, 1 / 0.1, 0.0])
    assert clusters.entropy == pytest.approx(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
    assert clusters.deviation == pytest.approx(np.std([0.75, 0.25, 0.0]))


def test_solutions_that_do_what_the_baseline_does_have_no_density() -> None:
    assert Clusters.around(np.zeros((3, 2)), np.zeros((1, 2))).densities == [None]


def test_of_equally_near_baselines_the_first_has_it() -> None:
    assert Clusters.around(np.array([[0.5]]), np.array([[0.0], [1.0]])).sizes.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("percent", "nats", "deviation"),
    [  # the paper's figure 5, as drawn, and what it prints of it
        ((39.9, 29.4, 15.3, 6.4, 5.2, 2.5, 1.2, 0, 0), 1.49, 0.14),
        ((9.6, 6.2, 1.9, 0.8, 4.2, 13.1, 63.8, 0.4, 0), 1.22, 0.19),
        ((8.2, 20.8, 56.2, 2.7, 3.9, 6.9, 0, 1.2, 0), 1.32, 0.17),
    ],
)
def test_entropy_and_deviation_are_those_of_the_paper(
    percent: tuple[float, ...], nats: float, deviation: float
) -> None:
    sizes = np.round(np.array(percent) * 10).astype(int)
    clusters = Clusters(sizes, np.zeros(9), np.zeros(0))
    assert clusters.entropy == pytest.approx(nats, abs=0.01)
    assert clusters.deviation == pytest.approx(deviation, abs=0.005)


@given(arrays(np.int64, st.integers(1, 30), elements=st.integers(0, 50)))
def test_entropy_lies_between_one_cluster_and_all_alike(sizes: np.ndarray) -> None:
    assert 0 <= diversity.entropy(sizes) <= math.log(len(sizes)) + 1e-12
    assert diversity.entropy(np.full(len(sizes), 7)) == pytest.approx(math.log(len(sizes)))
    assert diversity.entropy(np.eye(len(sizes), dtype=int)[0]) == 0


@given(points(rows=(2, 40)))
def test_spacing_is_what_its_definition_says(rows: np.ndarray) -> None:
    apart = np.array([[np.linalg.norm(a - b) for b in rows] for a in rows])
    mean, nearest = diversity.spacing(rows)
    assert mean == pytest.approx(apart.sum() / (len(rows) * (len(rows) - 1)), abs=1e-7)
    np.fill_diagonal(apart, np.inf)
    assert nearest == pytest.approx(apart.min(axis=1), abs=1e-7)


def test_spacing_over_several_tiles() -> None:
    rows = np.random.default_rng(2).uniform(size=(1000, 6))
    rows[900:] = rows[:100]
    mean, nearest = diversity.spacing(rows)
    apart = np.linalg.norm(rows[:, None] - rows[None], axis=2)
    assert mean == pytest.approx(apart.sum() / (1000 * 999))
    np.fill_diagonal(apart, np.inf)
    assert nearest == pytest.approx(apart.min(axis=1), abs=1e-9)
    assert not nearest[:100].any()


def test_coverage_by_hand() -> None:
    coverage = Coverage(
        np.array([[0.0, 5.0, 1.0], [1.0, 5.0, 3.0]])
    )  # the second workload tells nobody apart
    assert coverage.share == 0
    coverage.add(np.array([0.0, 9.0, 3.0]))  # the first and the last cell of 40
    assert coverage.share == 2 / 40
    coverage.add(np.array([[0.04, 5.0, 2.95], [-0.1, 5.0, 3.5]]))  # the same cells, and beyond what is known
    assert coverage.share == 2 / 40
    coverage.add(np.array([0.05, 5.0, 1.0]))
    assert coverage.share == 4 / 40
    assert Coverage(np.ones((3, 2))).share is None


@given(points(columns=(3, 3)), points(columns=(3, 3)), points(columns=(3, 3)))
def test_more_solutions_never_cover_less(known: np.ndarray, rows: np.ndarray, more: np.ndarray) -> None:
    coverage = Coverage(known)
    if coverage.share is None:
        return
    coverage.add(rows)
    before = coverage.share
    coverage.add(rows)
    assert coverage.share == before
    coverage.add(more)
    assert before <= coverage.share <= 1
    one = Coverage(known)
    one.add(rows[0])
    assert one.share is not None
    assert one.share <= 1 / diversity.CELLS


@given(points(rows=(2, 40)), st.randoms(use_true_random=False))
def test_neither_the_order_of_solutions_nor_that_of_workloads_matters(
    rows: np.ndarray, random: Random
) -> None:
    order, columns = list(range(len(rows))), list(range(rows.shape[1]))
    random.shuffle(order)
    random.shuffle(columns)
    other = rows[order][:, columns]
    centres = np.stack([np.full(rows.shape[1], 0.21), np.full(rows.shape[1], 0.8)])
    names = [str(i) for i in order]
    assert diversity.distinct(rows, names, 0.0).sum() == diversity.distinct(other, names, 0.0).sum()
    for tolerance in diversity.CURVE:
        by_column = diversity.distinct(rows[:, columns], names, tolerance)
        assert diversity.distinct(rows, names, tolerance).tolist() == by_column.tolist()
    clusters, same = Clusters.around(rows, centres), Clusters.around(other, centres)
    assert clusters.radii == pytest.approx(same.radii)
    assert clusters.distances[order] == pytest.approx(same.distances)
    (mean, nearest), (mean_too, nearest_too) = diversity.spacing(rows), diversity.spacing(other)
    assert mean == pytest.approx(mean_too, abs=1e-7)
    assert nearest[order] == pytest.approx(nearest_too, abs=1e-7)
    first, second = (
        Coverage(np.stack([rows.min(0), rows.max(0)])),
        Coverage(np.stack([other.min(0), other.max(0)])),
    )
    first.add(rows)
    for row in other:  # one by one is as well as all at once
        second.add(row)
    assert first.share == second.share


@given(points(), st.integers(2, 4))
def test_repeating_solutions_adds_none(rows: np.ndarray, times: int) -> None:
    repeated = np.tile(rows, (times, 1))
    names = [str(i) for i in range(len(repeated))]
    for tolerance in diversity.CURVE:
        new = diversity.distinct(repeated, names, tolerance)
        assert not new[len(rows) :].any()
        assert new.sum() == diversity.distinct(rows, names[: len(rows)], tolerance).sum()


def test_gap_closed_is_a_mean_over_the_workloads_that_have_one() -> None:
    reference, bound = np.array([0.8, 0.5, 0.4]), np.array([0.4, 0.4, 0.399])  # nothing to gain on the third
    values = np.array([[0.6, 0.4, 0.9], [0.8, 0.5, 0.4], [0.4, 0.4, 0.0], [1.2, 0.6, 0.4]])
    closed = diversity.gap_closed(values, reference, bound, maximise=False)
    assert closed is not None
    assert closed.tolist() == pytest.approx([75, 0, 100, -100])
    flipped = diversity.gap_closed(-values, -reference, -bound, maximise=True)
    assert flipped is not None
    assert flipped.tolist() == pytest.approx(closed.tolist())
    assert diversity.gap_closed(values, reference, reference, maximise=False) is None
    assert diversity.gap_closed(values, reference, bound, maximise=True) is None


def test_interval_covers_the_mean_and_is_repeatable() -> None:
    values = np.random.default_rng(0).normal(3, 1, 40)
    low, high = ranking.interval(values, 1)
    assert low < values.mean() < high
    assert (low, high) == ranking.interval(values, 1)
    width = 2 * 1.96 * values.std(ddof=1) / math.sqrt(40)
    assert high - low == pytest.approx(width, rel=0.2)
