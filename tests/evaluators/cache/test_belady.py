"""Belady's rule against a plain implementation and against published reference counts."""

from __future__ import annotations

import csv
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.cache.belady import belady_misses, belady_misses_bytes, next_access
from evaluators.cache.readers import read_trace
from evaluators.cache.trace import Trace

KEYS = st.lists(st.integers(0, 12), min_size=1, max_size=150)


def plain_belady(keys: list[int], sizes: list[int], capacity: int) -> tuple[int, int]:
    """(misses, missed bytes) by scanning all residents at every eviction."""
    order = list(dict.fromkeys(keys))

    def farness(key: int, now: int) -> tuple[float, int]:
        upcoming = next((i for i in range(now + 1, len(keys)) if keys[i] == key), float("inf"))
        return upcoming, -order.index(key)  # lowest id first among those never requested again

    resident: dict[int, int] = {}
    misses = missed = 0
    for now, (key, size) in enumerate(zip(keys, sizes, strict=True)):
        if resident.pop(key, None) is None:
            misses += 1
            missed += size
        if size > capacity:
            continue
        while sum(resident.values()) + size > capacity:
            del resident[max(resident, key=lambda other: farness(other, now))]
        resident[key] = size
    return misses, missed


def fewest_misses(keys: list[int], capacity: int, bypass: bool) -> int:
    """The optimum over all choices of victims, and with `bypass` of what is stored at all, by exhaustive search."""
    states: dict[frozenset[int], int] = {frozenset(): 0}
    for key in keys:
        after: dict[frozenset[int], int] = {}
        for resident, misses in states.items():
            if key in resident:
                options, cost = [resident], misses
            else:
                kept = min(len(resident), capacity - 1)
                options = [frozenset(rest) | {key} for rest in combinations(resident, kept)]
                options += [resident] if bypass else []
                cost = misses + 1
            for option in options:
                after[option] = min(cost, after.get(option, cost))
        states = after
    return min(states.values())


@settings(max_examples=100, deadline=None)
@given(KEYS, st.integers(1, 15))
def test_unit_sizes_equal_the_plain_rule(keys: list[int], capacity: int) -> None:
    trace = Trace.from_keys("t", np.array(keys))
    expected = plain_belady(keys, [1] * len(keys), capacity)[0]
    assert belady_misses(trace.ids, trace.n_objects, capacity) == expected
    ones = np.ones(len(keys), np.int64)
    assert belady_misses_bytes(trace.ids, ones, trace.n_objects, capacity) == (expected, expected)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=25), st.integers(1, 4), st.booleans())
def test_unit_sizes_are_optimal(keys: list[int], capacity: int, bypass: bool) -> None:
    trace = Trace.from_keys("t", np.array(keys))
    found = belady_misses(trace.ids, trace.n_objects, capacity, bypass)
    assert found == fewest_misses(keys, capacity, bypass)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(1, 9)), min_size=1, max_size=100), st.integers(1, 40)
)
def test_bytes_equal_the_plain_rule(requests: list[tuple[int, int]], capacity: int) -> None:
    keys, sizes = [k for k, _ in requests], [s for _, s in requests]
    trace = Trace.from_keys("t", np.array(keys), np.array(sizes))
    assert trace.sizes is not None
    result = belady_misses_bytes(trace.ids, trace.sizes, trace.n_objects, capacity)
    assert result == plain_belady(keys, sizes, capacity)


def test_long_trace_uses_several_levels_of_the_set() -> None:
    rng = np.random.default_rng(3)
    loop = Trace.from_keys("t", np.tile(rng.permutation(5000), 4))
    # In a loop of 5000 every pass after the first hits capacity - 1 objects (its victims leave one slot to
    # the object being loaded), up to the slot lost or won where passes meet.
    hits = len(loop) - belady_misses(loop.ids, loop.n_objects, 500)
    assert abs(hits - 3 * 499) <= 3


def test_next_access() -> None:
    assert next_access(np.array([0, 1, 0, 0, 2], np.int32), 3).tolist() == [2, 5, 3, 5, 5]


def test_capacity_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="capacity is 0"):
        belady_misses(np.array([0], np.int32), 1, 0)
    with pytest.raises(ValueError, match="capacity is -1"):
        belady_misses_bytes(np.array([0], np.int32), np.array([1]), 1, -1)


def _reference(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["algorithm"] == "Belady"]
    assert rows
    return rows


@pytest.mark.realdata
def test_reference_counts_of_real_traces(data_dir: Path) -> None:
    folder = data_dir / "cache" / "real"
    for row in _reference(folder / "reference.csv"):
        trace = read_trace(folder / f"{row['trace']}.oracleGeneral.bin.zst")
        capacity = trace.capacity(row["fraction"])
        expected = tuple(int(row[column]) for column in ("requests", "objects", "capacity"))
        assert (len(trace), trace.n_objects, capacity) == expected
        assert belady_misses(trace.ids, trace.n_objects, capacity) == int(row["misses"]), row


@pytest.mark.realdata
def test_reference_counts_in_bytes(data_dir: Path) -> None:
    folder = data_dir / "cache" / "real"
    trace = read_trace(folder / "cloudphysics_io.oracleGeneral.bin.zst", sizes=True)
    assert trace.sizes is not None
    for row in _reference(folder / "cloudphysics_io_reference.csv"):
        if row["size_mode"] == "unit":
            assert belady_misses(trace.ids, trace.n_objects, int(row["capacity"])) == int(row["misses"])
            continue
        capacity = trace.capacity(row["fraction"], "bytes")
        assert capacity == int(row["capacity"])
        misses, missed = belady_misses_bytes(trace.ids, trace.sizes, trace.n_objects, capacity)
        assert misses == int(row["misses"])
        assert missed / int(trace.sizes.sum()) == pytest.approx(float(row["byte_miss_ratio"]), abs=1e-8)
