"""The explore target is far from everything seen, yet within what looks reachable."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stimuli.targets import MARGIN, distance_to_nearest, farthest_reachable, reachable_points


def embeddings(m: int, n: int, seed: int) -> np.ndarray:
    """Correlated values, as the results of related policies on related workloads are."""
    rng = np.random.default_rng(seed)
    return 0.5 + 0.1 * rng.normal(size=(m, 1)) + 0.03 * rng.normal(size=(m, n))


@settings(max_examples=30, deadline=None)
@given(m=st.integers(2, 50), n=st.integers(1, 30), seed=st.integers(0, 10**6))
def test_stays_in_the_widened_box_and_never_beyond_the_ideal(m: int, n: int, seed: int) -> None:
    seen = embeddings(m, n, seed)
    low, high = seen.min(axis=0), seen.max(axis=0)
    ideal = low - 0.01 * (high - low)
    target = farthest_reachable(seen, ideal, np.random.default_rng(seed))
    assert target.shape == (n,)
    assert (target >= ideal - 1e-12).all()
    assert (target <= high + MARGIN * (high - low) + 1e-12).all()
    ideal = high
    assert (reachable_points(seen, ideal, 50, np.random.default_rng(seed)) <= high + 1e-12).all()


def test_is_farther_from_everything_than_reachable_points_are_on_average() -> None:
    for seed in range(5):
        seen = embeddings(200, 30, seed)
        ideal = np.zeros(30)
        target = farthest_reachable(seen, ideal, np.random.default_rng(seed))
        others = reachable_points(seen, ideal, 200, np.random.default_rng(seed + 100))
        distances = distance_to_nearest(others, seen)
        assert distance_to_nearest(target[np.newaxis], seen)[0] > 1.3 * distances.mean()


def test_points_follow_the_correlation_of_the_workloads() -> None:
    generator = np.random.default_rng(1)
    common = generator.normal(size=300)
    seen = np.column_stack([common, 3 * common, -common, generator.normal(size=300)])
    seen += 0.3 * generator.normal(size=seen.shape)
    points = reachable_points(seen, np.full(4, -9.0), 2000, generator)
    np.testing.assert_allclose(np.corrcoef(points.T), np.corrcoef(seen.T), atol=0.1)


def test_distance_to_nearest_is_exact_enough() -> None:
    seen = embeddings(5000, 30, seed=3)
    points = embeddings(20, 30, seed=4)
    expected = np.array([np.linalg.norm(seen - point, axis=1).min() for point in points])
    np.testing.assert_allclose(distance_to_nearest(points, seen), expected, rtol=1e-4)


def test_identical_embeddings_leave_nowhere_to_go() -> None:
    seen = np.full((4, 3), 0.25)
    assert np.allclose(farthest_reachable(seen, np.zeros(3), np.random.default_rng(0)), 0.25)
