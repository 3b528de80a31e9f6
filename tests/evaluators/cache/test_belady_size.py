"""Belady's rule with sizes against the definition, written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.cache.belady import belady_misses, belady_misses_bytes, next_access
from evaluators.cache.belady_size import belady_size_misses
from evaluators.cache.generators import GENERATORS


def by_definition(ids: np.ndarray, sizes: np.ndarray, capacity: int) -> tuple[int, int]:
    n = len(ids)
    upcoming = next_access(ids, int(ids.max()) + 1).tolist()
    cached: dict[int, tuple[int, int]] = {}  # object -> size, next request
    misses = missed_bytes = 0
    for i, (obj, size) in enumerate(zip(ids.tolist(), sizes.tolist(), strict=True)):
        if obj in cached:
            del cached[obj]
        else:
            misses += 1
            missed_bytes += size
        if size > capacity:
            continue
        while sum(s for s, _ in cached.values()) + size > capacity:

            def rank(x: int, now: int = i) -> tuple[bool, int, int]:
                s, after = cached[x]
                return after == n, s * (after - now), s

            del cached[max(cached, key=rank)]
        cached[obj] = (size, upcoming[i])
    return misses, missed_bytes


@settings(max_examples=150, deadline=None)
@given(
    requests=st.lists(st.tuples(st.integers(0, 12), st.integers(1, 9)), min_size=1, max_size=120),
    capacity=st.integers(1, 40),
    constant=st.booleans(),
)
def test_is_the_definition(requests, capacity, constant) -> None:
    keys, sizes = np.array(requests).T
    ids = np.unique(keys, return_inverse=True)[1].astype(np.int32)
    given_sizes = (ids % 5 + 1 if constant else sizes).astype(np.int64)
    n_objects = int(ids.max()) + 1
    assert belady_size_misses(ids, given_sizes, n_objects, capacity) == by_definition(
        ids, given_sizes, capacity
    )


@pytest.mark.parametrize("kind", sorted(GENERATORS))
def test_between_rules(kind) -> None:
    """With equal sizes it is Belady's rule; with sizes it misses less than that."""
    trace = GENERATORS[kind](np.random.default_rng(3), n_objects=500, length=5000, with_sizes=True)
    assert trace.sizes is not None
    ones = np.ones(len(trace), dtype=np.int64)
    assert belady_size_misses(trace.ids, ones, trace.n_objects, 40)[0] == belady_misses(
        trace.ids, trace.n_objects, 40
    )
    for share in ("1%", "5%", "20%"):
        capacity = trace.capacity(share, "bytes")
        misses, missed = belady_size_misses(trace.ids, trace.sizes, trace.n_objects, capacity)
        plain, _ = belady_misses_bytes(trace.ids, trace.sizes, trace.n_objects, capacity)
        # Where each request misses, or each first one only, there is nothing to gain.
        assert misses < plain or misses == plain in (len(trace), trace.n_objects)
        assert 0 < missed <= int(trace.sizes.sum())


def test_refuses_no_room() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        belady_size_misses(np.zeros(1, np.int32), np.ones(1, np.int64), 1, 0)
