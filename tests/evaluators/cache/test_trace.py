"""Dense ids and the trace object."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.base import WorkloadError
from evaluators.cache.densify import BytesIndex, IntegerIndex, float_keys
from evaluators.cache.trace import Trace

# Few distinct values (repeats), the extremes, and multiples of a large power of two (clustering).
KEYS = st.one_of(
    st.integers(0, 20),
    st.integers(0, 2**64 - 1),
    st.sampled_from([0, 1, 2**63, 2**64 - 1]),
    st.integers(0, 50).map(lambda k: k << 57),
)


def first_appearance_ids(keys: np.ndarray) -> np.ndarray:
    """The oracle: np.unique sorted back into order of first appearance."""
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(KEYS, max_size=50), max_size=6))
def test_integer_index_equals_numpy(batches: list[list[int]]) -> None:
    index = IntegerIndex()
    parts = [index.add(np.array(batch, np.uint64)) for batch in batches]
    keys = np.array([key for batch in batches for key in batch], np.uint64)
    np.testing.assert_array_equal(np.concatenate([np.empty(0, np.int32), *parts]), first_appearance_ids(keys))
    assert index.n_objects == len(np.unique(keys))


@pytest.mark.parametrize("stride", [1, 8, 2**20, 2**44])
def test_integer_index_grows(stride: int) -> None:
    rng = np.random.default_rng(1)
    keys = rng.integers(0, 100_000, 300_000).astype(np.uint64) * np.uint64(stride)
    index = IntegerIndex()
    ids = np.concatenate([index.add(part) for part in np.array_split(keys, 7)])
    np.testing.assert_array_equal(ids, first_appearance_ids(keys))


@given(st.lists(st.binary(max_size=3)))
def test_bytes_index_is_exact(keys: list[bytes]) -> None:
    index = BytesIndex()
    ids = index.add(keys).tolist()
    order = list(dict.fromkeys(keys))
    assert ids == [order.index(key) for key in keys]
    assert index.n_objects == len(order)


def test_float_keys_compare_like_floats() -> None:
    keys = float_keys(np.array([0.0, -0.0, 1.5, -1.5, np.inf]))
    assert keys[0] == keys[1]
    assert len(set(keys.tolist())) == 4


def test_footprint_counts_the_first_size_of_each_object() -> None:
    trace = Trace.from_keys("t", np.array([7, 9, 7, 9, 3]), np.array([10, 20, 999, 1, 5]))
    assert (trace.n_objects, trace.footprint, len(trace)) == (3, 35, 5)
    assert Trace.from_keys("t", np.array([7, 9, 7])).footprint == 2


def test_arrays_are_read_only() -> None:
    trace = Trace.from_keys("t", np.array([1, 2]), np.array([1, 1]))
    for array in (trace.ids, trace.sizes):
        assert array is not None
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_digest_depends_on_content_only() -> None:
    ids = np.array([0, 1, 0], np.int32)
    sizes = np.array([5, 6, 5])
    base = Trace("a", ids, sizes).digest()
    assert base == Trace("b", ids.astype(np.int64), sizes.copy()).digest()
    others = [
        Trace("a", ids).digest(),
        Trace("a", np.array([0, 1, 1], np.int32), sizes).digest(),
        Trace("a", ids, np.array([5, 7, 5])).digest(),
        Trace("a", ids, sizes, np.array([1, 2, 3])).digest(),
        Trace("a", ids, None, sizes).digest(),
    ]
    assert len({base, *others}) == 6
    assert base == "1b05ed4e2de5cee2"


@pytest.mark.parametrize(
    ("ids", "sizes", "why"),
    [
        ([], None, "no requests"),
        ([0, 2], None, "request 2: id 2 is not dense"),
        ([1, 0], None, "request 1: id 1 is not dense"),
        ([0, -1], None, "request 2: id -1 is not dense"),
        ([0, 1], [1], "sizes must be an int64 array of 2 values"),
        ([0, 1], [1, 0], "request 2: size is 0"),
    ],
)
def test_malformed_traces(ids: list[int], sizes: list[int] | None, why: str) -> None:
    with pytest.raises(WorkloadError, match=why):
        Trace("t", np.array(ids, np.int64), None if sizes is None else np.array(sizes, np.int64))
