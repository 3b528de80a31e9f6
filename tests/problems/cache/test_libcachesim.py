"""Differential test against the package libcachesim (GPL-3.0, installed for this test only)."""

from __future__ import annotations

import importlib.util

import pytest

from benchmarks.cache_exactness import ALGORITHMS, Pair, compare, report, traces


@pytest.mark.parametrize(
    ("algorithm", "capacity", "theirs", "verdict"),
    [
        ("lru", 5, 70, "equal"),
        ("lru", 5, 71, "different"),
        ("lru", 5, 100, "different"),
        ("s3fifo", 9, -1, "explained"),
        ("s3fifo", 19, 100, "explained"),
        ("s3fifo", 19, 71, "different"),
        ("s3fifo", 20, 100, "different"),
        ("slru", 3, 100, "explained"),
        ("slru", 4, 100, "different"),
        ("qdlp", 19, 100, "explained"),
        ("lruk", 2, 100, "different"),
    ],
)
def test_only_degenerate_capacities_are_explained(algorithm, capacity, theirs, verdict) -> None:
    assert Pair("t", algorithm, capacity, 100, 70, theirs).verdict == verdict


@pytest.mark.realdata
@pytest.mark.timeout(900)
def test_equal_on_every_trace(data_dir, capsys) -> None:
    """At 0.1 %, 1 % and 10 % of the distinct objects."""
    if importlib.util.find_spec("libcachesim") is None:
        pytest.fail("this check needs libcachesim: pip install 'libcachesim==0.3.5'")
    files = sorted(
        file
        for folder in ("real", "metamuse")
        for file in (data_dir / "cache" / folder).rglob("*.oracleGeneral.bin.zst")
    )
    pairs = list(compare(traces(files)))
    with capsys.disabled():
        print(f"\nmiss counts against libcachesim\n{report(pairs)}")
    exact = {name for name, reference in ALGORITHMS.items() if reference.exact}
    assert {p.algorithm for p in pairs if not p.by_bytes} >= exact
    assert {p.algorithm for p in pairs if p.by_bytes} >= {n for n in exact if ALGORITHMS[n].by_bytes}
    assert [p for p in pairs if p.verdict == "different" and p.algorithm in exact] == []
