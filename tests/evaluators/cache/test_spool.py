"""Traces larger than memory: served block by block from disk they score as in memory; what breaks is one sentence."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.base import WorkloadError
from evaluators.cache import arrays, spool, tables
from evaluators.cache.oracle import RECORD
from evaluators.cache.readers import read_trace
from evaluators.cache.simulator import CONTRACT, Job, bind, simulate
from evaluators.cache.spool import spooled
from evaluators.cache.trace import Trace
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.program import load

BASELINES = Path(__file__).parents[3] / "problems" / "cache" / "baselines"
NAMES = sorted(path.stem for path in BASELINES.glob("[a-z]*.py"))


@cache
def bound(name: str, compiled: bool = False) -> tuple[Any, Any]:
    program = load((BASELINES / f"{name}.py").read_text(), CONTRACT)
    policy = CompiledPolicy(program, (16, 49)) if compiled else InterpretedPolicy(program)
    return policy, bind(policy)


def outcome(name: str, job: Job, compiled: bool = False) -> tuple[Any, ...]:
    score = simulate(*bound(name, compiled), job)
    return score.value, score.details, score.decisions


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(NAMES),
    st.lists(st.integers(0, 25), min_size=1, max_size=120),
    st.integers(1, 130),
    st.integers(1, 12),
    st.booleans(),
    st.integers(0, 60),
)
def test_blocks_change_nothing(
    name: str, keys: list[int], block: int, capacity: int, by_bytes: bool, warmup: int
) -> None:
    sizes = 1 + np.array(keys) * 7 % 5 if by_bytes else None
    trace = Trace.from_keys("t", np.array(keys), sizes)
    job = Job(trace, capacity * (3 if by_bytes else 1), by_bytes, warmup)
    assert outcome(name, replace(job, trace=replace(trace, block=block))) == outcome(name, job)


@pytest.mark.parametrize("name", ["s3fifo"])
def test_blocks_change_nothing_compiled(name: str) -> None:
    trace = Trace.from_keys("t", np.minimum(np.random.default_rng(1).pareto(0.7, 3000), 500).astype(np.int64))
    whole = outcome(name, Job(trace, 40), True)
    for block in (1, 7, 1000, 2999, 3000, 5000):
        assert outcome(name, Job(replace(trace, block=block), 40), True) == whole


def oracle_general(path: Path, keys: np.ndarray) -> None:
    records = np.zeros(len(keys), RECORD)
    records["object"], records["size"] = keys, 1 + keys % 1000
    path.write_bytes(records.tobytes())


WRITERS: dict[str, Callable[[Path, np.ndarray], None]] = {
    "t.bin": oracle_general,
    "t.npy": np.save,
    "t.txt": lambda path, keys: path.write_text("\n".join(f"k{key}" for key in keys)),
    "t.csv.gz": lambda path, keys: path.write_bytes(
        gzip.compress(("key,size\n" + "\n".join(f"{key},{1 + key % 1000}" for key in keys)).encode())
    ),
}


@pytest.mark.parametrize("file", WRITERS)
@pytest.mark.parametrize("sizes", [False, True])
def test_a_spooled_trace_is_the_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, sizes: bool
) -> None:
    if sizes and file in ("t.npy", "t.txt"):
        pytest.skip("has no sizes")
    monkeypatch.setattr(tables, "_BLOCK_BYTES", 4096)
    monkeypatch.setattr(arrays, "_CHUNK_KEYS", 1000)
    monkeypatch.setattr(spool, "BLOCK", 1500)
    keys = np.random.default_rng(2).integers(0, 900, 5000)
    path = tmp_path / file
    WRITERS[file](path, keys)
    whole = read_trace(path, sizes=sizes)
    for _ in range(2):  # written, then found
        trace = spooled(str(path), tmp_path / "spool", sizes=sizes)
        np.testing.assert_array_equal(trace.ids, whole.ids)
        assert (trace.name, trace.n_objects, trace.footprint, trace.smallest, trace.digest()) == (
            str(path), whole.n_objects, whole.footprint, whole.smallest, whole.digest(),
        )  # fmt: skip
        assert trace.block == 1500
        for name in ("lru", "arc"):
            job = Job(whole, whole.capacity("10%", "bytes" if sizes else "unit"), sizes)
            assert outcome(name, replace(job, trace=trace)) == outcome(name, job)
    assert len(list((tmp_path / "spool").iterdir())) == 1


def resident_bytes() -> int:
    """Of the files that this process has mapped."""
    return int(Path("/proc/self/statm").read_text().split()[2]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux' /proc")
def test_what_was_served_leaves_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "BLOCK", 1 << 18)
    requests = 8_000_000
    np.save(tmp_path / "t.npy", (np.arange(requests) % 1000).astype(np.int32))
    before = resident_bytes()
    trace = spooled(str(tmp_path / "t.npy"), tmp_path / "spool")
    most = []
    for _ in trace.blocks():
        most.append(resident_bytes() - before)
    trace.digest()
    most.append(resident_bytes() - before)
    assert max(most) < requests * 4 / 3
    assert len(trace) == requests


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path, folder = tmp_path / "t.npy", tmp_path / "spool"
    np.save(path, np.array([1, 2, 3]))
    assert len(spooled(str(path), folder)) == 3
    np.save(path, np.array([1, 2, 3, 1]))
    assert len(spooled(str(path), folder)) == 4


def test_a_growing_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.bin"
    oracle_general(path, np.arange(10))
    original = Trace.__post_init__

    def meanwhile(trace: Trace) -> None:
        with path.open("ab") as file:
            file.write(bytes(24))
        original(trace)

    monkeypatch.setattr(Trace, "__post_init__", meanwhile)
    for read in (lambda: read_trace(path), lambda: spooled(str(path), tmp_path / "spool")):
        with pytest.raises(
            WorkloadError, match=r"t.bin: changed while it was read \(from 2\d\d to .* name a copy"
        ):
            read()
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_truncated_file_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.bin"
    oracle_general(path, np.arange(100))
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(WorkloadError, match=r"record 100 .* is cut off"):
        spooled(str(path), tmp_path / "spool")
    assert list((tmp_path / "spool").iterdir()) == []


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda entry: (entry / "ids.npy").write_bytes((entry / "ids.npy").read_bytes()[:-4]), "mmap length"),
        (lambda entry: (entry / "ids.npy").unlink(), "No such file"),
        (lambda entry: np.save(entry / "ids.npy", np.zeros(50, np.int32)), "50 requests of 50"),
        (lambda entry: np.save(entry / "ids.npy", np.full(50, 7, np.int32)), "not dense"),
        (lambda entry: (entry / "facts.json").write_text("{"), "Expecting"),
        (lambda entry: (entry / "facts.json").write_text(json.dumps({"arrays": []})), "sample"),
    ],
)
def test_a_damaged_spool_is_told(tmp_path: Path, damage: Callable[[Path], Any], why: str) -> None:
    path, folder = tmp_path / "t.npy", tmp_path / "spool"
    np.save(path, np.arange(50) % 9)
    spooled(str(path), folder)
    (entry,) = folder.iterdir()
    damage(entry)
    with pytest.raises(
        WorkloadError, match=f"is damaged .*{why}.*; delete this folder, and it is made again"
    ):
        spooled(str(path), folder)


def test_a_spool_that_cannot_be_written(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", np.arange(50))
    (tmp_path / "spool").write_text("a file")
    with pytest.raises(WorkloadError, match=r"problem.spool=.*: cannot be written"):
        spooled(str(tmp_path / "t.npy"), tmp_path / "spool")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (np.zeros((2, 2), int), "one-dimensional array of integers, not 2-dimensional"),
        (np.array([0.5]), "not 1-dimensional of float64"),
        (np.array([], int), "is empty"),
        (b"\x93NUMPY rubbish", "not a .npy array"),
    ],
)
def test_what_is_no_array_of_keys(tmp_path: Path, content: Any, why: str) -> None:
    path = tmp_path / "t.npy"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, content)
    with pytest.raises(WorkloadError, match=why):
        read_trace(path)


def test_an_array_that_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "t.npy"
    np.save(path, np.arange(1000))
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(WorkloadError, match=r"t.npy: is cut off"):
        read_trace(path)


def test_keys_of_an_array_may_be_of_any_integer_kind(tmp_path: Path) -> None:
    for kind in (np.int8, np.uint16, ">i4", np.int64, np.uint64):
        np.save(tmp_path / "t.npy", np.array([5, 3, 5, 100], kind))
        assert read_trace(tmp_path / "t.npy").ids.tolist() == [0, 1, 0, 2]
    np.save(tmp_path / "t.npy", np.array([-1, 2**62, -1]))
    assert read_trace(tmp_path / "t.npy").ids.tolist() == [0, 1, 0]
