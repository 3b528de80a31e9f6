"""What every baseline owes: the contract, the same decisions in both modes, and its known miss counts."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cache_exactness import ALGORITHMS
from evaluators.cache.belady import belady_misses, belady_misses_bytes
from evaluators.cache.belady_size import belady_size_misses
from evaluators.cache.generators import GENERATORS
from evaluators.cache.readers import read_trace
from evaluators.cache.simulator import Job
from evaluators.cache.trace import Trace

REQUIRED = {
    *("fifo", "lru", "lfu", "clock", "slru", "arc", "sieve", "s3fifo", "wtinylfu", "twoq", "lirs"),
    *("lfuda", "gdsf", "lruk", "qdlp", "mq"),
}
CAPACITIES = (1, 2, 3, 5, 10, 37)
GOLDEN = Path(__file__).with_name("golden.json")


def trace_of(kind: str, length: int, with_sizes: bool = False) -> Trace:
    rng = np.random.default_rng(np.random.SeedSequence(7, spawn_key=(list(GENERATORS).index(kind),)))
    if kind == "scan_loop":
        return GENERATORS[kind](rng, n_objects=150, length=length, with_sizes=with_sizes)
    return GENERATORS[kind](rng, n_objects=300, length=length, with_sizes=with_sizes)


def growing_sizes(length: int) -> Trace:
    """Sizes that change from request to request, now and then beyond small capacities."""
    base = trace_of("mixture", length)
    rng = np.random.default_rng(11)
    sizes = rng.integers(1, 12, length)
    sizes[rng.random(length) < 0.02] = 60
    return replace(base, name="growing", sizes=sizes.astype(np.int64))


def jobs(length: int) -> list[Job]:
    traces = [trace_of(kind, length) for kind in GENERATORS]
    out = [Job(trace, capacity) for trace in traces for capacity in CAPACITIES]
    sized = trace_of("one_hit", length, with_sizes=True)
    out += [Job(sized, sized.capacity(share, "bytes"), by_bytes=True) for share in ("1%", "10%", "40%")]
    out += [Job(growing_sizes(length), capacity, by_bytes=True) for capacity in (5, 20, 59, 200)]
    return out


def test_the_folder_holds_the_baselines(ids, program) -> None:
    assert set(ids) >= REQUIRED
    assert len({program(policy_id).structure() for policy_id in ids}) == len(ids)


def test_says_its_idea(policy_id, program) -> None:
    assert len(program(policy_id).doc.split()) >= 15


def test_interpreted_and_compiled_decide_alike(policy_id, run, interpret) -> None:
    for job in jobs(length=300):
        assert interpret(policy_id, job).details == run(policy_id, job).details, (
            job.trace.name,
            job.capacity,
        )


def test_every_count_is_possible(policy_id, run, program) -> None:
    may_refuse = "admit" in program(policy_id).methods
    for job in jobs(length=2000):
        score = run(policy_id, job)
        misses = score.details["misses"]
        assert job.trace.n_objects <= misses <= len(job.trace)
        assert run(policy_id, job).details == score.details
        if job.by_bytes:
            continue
        bound = belady_misses(job.trace.ids, job.trace.n_objects, job.capacity, may_refuse)
        assert misses >= bound, (job.trace.name, job.capacity)
        # All that was stored and not evicted is cached, and a warm cache is a full one.
        left = misses - score.details["evictions"]
        assert left > 0 and (may_refuse or left <= job.capacity)


def test_a_cache_that_holds_everything_misses_first_touches_only(policy_id, run) -> None:
    trace = trace_of("zipf", 3000)
    # Segments and small queues limit what some policies can hold until they have moved it: give them room.
    assert run(policy_id, Job(trace, 4 * trace.n_objects)).details["misses"] == trace.n_objects


def test_loop_larger_than_the_cache(run) -> None:
    trace = Trace("loop", np.tile(np.arange(101, dtype=np.int32), 20))
    assert run("lru", Job(trace, 100)).value == 1.0
    assert run("fifo", Job(trace, 100)).value == 1.0
    assert run("wtinylfu", Job(trace, 100)).value < 0.2
    assert run("lirs", Job(trace, 100)).value < 0.2


def test_miss_counts_are_those_on_record(policy_id, run) -> None:
    """A change here is a change of a published figure: explain it, then rewrite with METAMUSE_GOLDEN=1."""
    got = {
        f"{kind}/{capacity}": int(run(policy_id, Job(trace_of(kind, 5000), capacity)).details["misses"])
        for kind in GENERATORS
        for capacity in (10, 50)
    }
    golden = json.loads(GOLDEN.read_text())
    if os.environ.get("METAMUSE_GOLDEN"):
        golden[policy_id] = got
        GOLDEN.write_text(json.dumps(golden, indent=1) + "\n")
    assert got == golden.get(policy_id)


def test_bytes_bound(run) -> None:
    """Belady's rule by bytes is no bound, but it is far better than FIFO."""
    trace = trace_of("one_hit", 5000, with_sizes=True)
    capacity = trace.capacity("10%", "bytes")
    assert trace.sizes is not None
    misses, _ = belady_misses_bytes(trace.ids, trace.sizes, trace.n_objects, capacity)
    assert misses < run("fifo", Job(trace, capacity, by_bytes=True)).details["misses"]


#: Baselines with rows of their own in the reference tables.
EXACT = [name for name, reference in ALGORITHMS.items() if reference.row and name != "belady"]


def scored(run, algorithm: str, job: Job) -> dict[str, float]:
    """Scores what a row of the reference tables is about."""
    reference = ALGORITHMS[algorithm]
    return run(reference.policy_id or algorithm, job, **reference.values).details


@pytest.mark.realdata
@pytest.mark.parametrize("algorithm", EXACT)
def test_reference_on_21_traces(algorithm, run, data_dir) -> None:
    """Integer miss counts of libcachesim 0.3.5 at 1 % and 10 % of the distinct objects."""
    compared = 0
    reference = ALGORITHMS[algorithm]
    for row in rows(data_dir / "cache/real/reference.csv", reference.row):
        capacity = int(row["capacity"])
        if capacity < max(reference.least, reference.stores_from):
            continue
        trace = real(data_dir, row["trace"])
        assert scored(run, algorithm, Job(trace, capacity))["misses"] == int(row["misses"]), row
        compared += 1
    # Some are in the other table only.
    there = 0 if algorithm in ("clock, 2 bits", "lfuda", "lruk", "qdlp") else 35
    assert compared >= {"lirs": 26}.get(algorithm, there)


@pytest.mark.realdata
def test_wtinylfu_is_near_its_reference(run, data_dir) -> None:
    """Another sketch and another rule for ties: close in the mean, and nowhere much worse."""
    ratios = []
    for row in rows(data_dir / "cache/real/reference.csv", "WTinyLFU"):
        if int(row["capacity"]) >= 100:  # below, the window of the reference is empty and it stores nothing
            job = Job(real(data_dir, row["trace"]), int(row["capacity"]))
            ratios.append(run("wtinylfu", job).details["misses"] / int(row["misses"]))
    assert len(ratios) >= 30
    assert 0.97 < float(np.mean(ratios)) < 1.01
    assert max(ratios) < 1.05


@pytest.mark.realdata
@pytest.mark.parametrize("algorithm", EXACT)
def test_reference_on_cloudphysics(algorithm, run, data_dir) -> None:
    """Three capacities in objects and three in bytes: misses, and missed bytes to 8 digits."""
    compared = 0
    reference = ALGORITHMS[algorithm]
    trace = read_trace(str(data_dir / "cache/real/cloudphysics_io.oracleGeneral.bin.zst"), sizes=True)
    for row in rows(data_dir / "cache/real/cloudphysics_io_reference.csv", reference.row):
        by_bytes = row["size_mode"] == "bytes"
        capacity = int(row["capacity"])
        if by_bytes and not reference.by_bytes:
            continue
        if not by_bytes and capacity < max(reference.least, reference.stores_from):
            continue
        details = scored(run, algorithm, Job(trace, capacity, by_bytes=by_bytes))
        assert details["misses"] == int(row["misses"]), row
        if by_bytes:
            assert details["byte_miss_ratio"] == pytest.approx(float(row["byte_miss_ratio"]), abs=1e-7)
        compared += 1
    assert compared == {"lirs": 2, "lfuda": 5}.get(algorithm, 6)


@pytest.mark.realdata
def test_belady_with_sizes_is_near_its_reference(data_dir) -> None:
    """libcachesim compares 128 residents drawn at random, here all are compared."""
    trace = read_trace(str(data_dir / "cache/real/cloudphysics_io.oracleGeneral.bin.zst"), sizes=True)
    assert trace.sizes is not None
    table = rows(data_dir / "cache/real/cloudphysics_io_reference.csv", "BeladySize")
    by_bytes = [row for row in table if row["size_mode"] == "bytes"]
    assert len(by_bytes) == 3
    for row in by_bytes:
        misses, _ = belady_size_misses(trace.ids, trace.sizes, trace.n_objects, int(row["capacity"]))
        assert misses / len(trace) == pytest.approx(float(row["miss_ratio"]), rel=5e-3)


@pytest.mark.realdata
def test_published_figures_of_95_traces(run, data_dir) -> None:
    """The heuristics' miss ratios published with the paper's traces, to the 4 digits given there."""
    folder = data_dir / "cache/metamuse"
    published = json.loads((folder / "published_human.json").read_text())
    compared = dict.fromkeys(("fifo", "lru", "lfu", "clock", "arc", "sieve", "slru", "s3fifo"), 0)
    for name, entry in published.items():
        trace = read_trace(str(folder / f"{name}.zst"))
        for policy_id in compared:
            if entry["capacity"] < ALGORITHMS[policy_id].stores_from:
                continue
            value = run(policy_id, Job(trace, entry["capacity"])).value
            # Half a unit of the last digit, and what floats add to it.
            assert value == pytest.approx(entry["miss_ratio"][policy_id]["default"], abs=5.1e-5), (
                name,
                policy_id,
            )
            compared[policy_id] += 1
    print(compared)
    assert len(published) == 95
    assert min(compared.values()) >= 60


def rows(path: Path, algorithm: str) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return [
            row
            for row in csv.DictReader(file)
            if row["algorithm"] == algorithm and row.get("status", "ok") == "ok"
        ]


def real(data_dir: Path, name: str, cache: dict[str, Trace] = {}) -> Trace:  # noqa: B006  # kept for the session
    if name not in cache:
        cache[name] = read_trace(str(data_dir / f"cache/real/{name}.oracleGeneral.bin.zst"))
    return cache[name]
