"""hash64, Rng and Sketch: equal in both modes, and what they promise."""

from __future__ import annotations

import functools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metamuse.policykit import Rng, Sketch, hash64
from metamuse.policykit.compiled import hash64 as compiled_hash64
from tests.metamuse.policy.twins import Twins, policy

INT64 = st.integers(-(2**63), 2**63 - 1)
PARAMS = {"i": "int", "j": "int"}


@settings(max_examples=500, deadline=None)
@given(x=INT64, seed=INT64)
def test_hash_is_equal_in_both_modes(x: int, seed: int) -> None:
    value = hash64(x, seed)
    assert value == compiled_hash64(x, seed)
    assert 0 <= value < 2**63


def test_hash_is_splitmix64() -> None:
    # The first outputs of SplitMix64 from state 0, as published with the reference implementation.
    assert [hash64(0, seed) for seed in range(3)] == [
        0xE220A8397B1DCDAF >> 1,
        0x6E789E6AA1B965F4 >> 1,
        0x06C45D188009454F >> 1,
    ]


def test_hash_spreads_consecutive_numbers() -> None:
    buckets = np.bincount([hash64(x) % 64 for x in range(64_000)], minlength=64)
    # Chi-square with 63 degrees of freedom: beyond 120 with probability 2e-5.
    assert float(np.sum((buckets - 1000.0) ** 2) / 1000.0) < 120


@functools.cache
def twins() -> Twins:
    init = "self.rng = Rng(7)\nself.sketch = Sketch(16, cap=6, period=40)\nself.plain = Sketch(100)"
    bodies = {
        "draw": "return self.rng.next() % 1000003",
        "below": "return self.rng.below(i)",
        "uniform": "return self.rng.uniform()",
        "count": "self.sketch.add(i)\nself.plain.add(i)\nreturn self.sketch.estimate(i)",
        "estimate": "return self.sketch.estimate(i) + 100 * self.plain.estimate(j)",
        "halve": "self.plain.halve()\nreturn 0",
    }
    return Twins(policy(init, bodies, list(PARAMS)), list(bodies), PARAMS)


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["draw", "below", "uniform", "count", "count", "count", "estimate", "halve"]),
            st.integers(-1, 12) | INT64,
            st.integers(0, 12),
        ),
        max_size=80,
    )
)
def test_streams_and_sketches_are_equal_in_both_modes(steps: list[tuple[str, int, int]]) -> None:
    both = twins()
    states = both.states()
    for method, i, j in steps:
        slow, fast = both.call(states, method, i, j)
        assert slow == fast, (method, i, j)


@given(st.lists(st.integers(0, 300), max_size=200))
def test_a_sketch_never_counts_too_little(keys: list[int]) -> None:
    sketch = Sketch(64, cap=10)
    for key in keys:
        sketch.add(key)
    for key, count in Counter(keys).items():
        assert min(count, 10) <= sketch.estimate(key) <= 10


def test_a_sketch_ages() -> None:
    sketch = Sketch(64, period=8)
    for _ in range(8):
        sketch.add(5)
    assert sketch.estimate(5) == 4


def test_streams() -> None:
    rng = Rng(3)
    draws = np.array([rng.uniform() for _ in range(4000)])
    assert draws.min() >= 0
    assert draws.max() < 1
    assert abs(draws.mean() - 0.5) < 5 * (1 / 12 / 4000) ** 0.5
    assert {rng.below(3) for _ in range(100)} == {0, 1, 2}
    assert [Rng(3).next() for _ in range(2)] == [Rng(3).next()] * 2
    with pytest.raises(ValueError, match="at least 1"):
        rng.below(0)
