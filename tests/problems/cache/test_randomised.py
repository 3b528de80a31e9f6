"""Baselines that draw random numbers or learn: what each is for, and libcachesim within its spread."""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import problems.cache.baselines
from evaluators.cache.generators import GENERATORS, shifting, zipf
from evaluators.cache.readers import read_trace
from evaluators.cache.simulator import CONTRACT, Job, bind, simulate
from evaluators.cache.trace import Trace
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load

FOLDER = Path(next(iter(problems.cache.baselines.__path__)))


@functools.cache
def seeded(name: str, seed: int):
    """A baseline and its loop with another constant in the place of its seed."""
    source = (FOLDER / f"{name}.py").read_text()
    assert source.count("\nSEED = 1\n") == 1
    policy = CompiledPolicy(load(source.replace("\nSEED = 1\n", f"\nSEED = {seed}\n"), CONTRACT), (10, 31))
    return policy, bind(policy)


def ratios(name: str, job: Job, seeds: int, **values: float) -> list[float]:
    pairs = [seeded(name, seed) for seed in range(1, seeds + 1)]
    return [simulate(policy.with_values(values), loop, job).value for policy, loop in pairs]


def random(seed: int = 5) -> np.random.Generator:
    return np.random.default_rng(seed)


def traced(name: str, ids: np.ndarray, sizes: np.ndarray | None = None) -> Trace:
    """A trace of any ids, numbered anew by first appearance."""
    _, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    return Trace(name, np.argsort(np.argsort(first))[inverse].astype(np.int32), sizes=sizes)


def scanned(hot: int, scan: int, rounds: int) -> Trace:
    """Objects 0..hot-1 twice, then `scan` objects that never return, `rounds` times."""
    parts = [np.r_[:hot, :hot, hot + i * scan : hot + (i + 1) * scan] for i in range(rounds)]
    return traced("scanned", np.concatenate(parts))


def loop(length: int, rounds: int) -> Trace:
    return traced("loop", np.tile(np.arange(length), rounds))


@pytest.mark.parametrize("name", ["cacheus", "lecar"])
def test_another_seed_is_another_run_with_much_the_same_result(name) -> None:
    # Objects that are not equally popular: two experts differ, and so do their draws.
    job = Job(shifting(random(), n_objects=300, length=8000), 40)
    one, two = ratios(name, job, seeds=2)
    assert one != two
    assert one == pytest.approx(two, abs=0.02)


def test_lru_prob_is_lru_if_it_always_promotes(run) -> None:
    job = Job(shifting(random(), n_objects=300, length=5000), 30)
    assert run("lru_prob", job, PROMOTE=1.0).value == run("lru", job).value
    assert run("lru_prob", job).value != run("lru", job).value


def test_hyperbolic_is_near_the_rule_without_sampling(run) -> None:
    trace = zipf(random(), n_objects=100, length=4000)
    capacity = 10
    born: dict[int, int] = {}
    count: dict[int, int] = {}
    misses = 0
    for now, x in enumerate(trace.ids.tolist()):
        if x in born:
            count[x] += 1
            continue
        misses += 1
        if len(born) == capacity:
            worst = min(born, key=lambda y: count[y] / (now - born[y]))
            del born[worst]
        born[x], count[x] = now, 1
    assert run("hyperbolic", Job(trace, capacity)).details["misses"] == pytest.approx(misses, rel=0.01)


def test_sizes_count_in_hyperbolic_if_they_are_told_to(run) -> None:
    """Objects alike but for their size: the small ones are worth more room."""
    ids = random().integers(0, 200, 6000)
    sizes = np.where(ids % 2 == 0, 1, 50).astype(np.int64)
    job = Job(traced("sizes", ids, sizes), 1500, by_bytes=True)
    assert run("hyperbolic", job, SIZE_POWER=1.0).value < run("hyperbolic", job).value - 0.05


@pytest.mark.parametrize("name", ["cacheus", "lhd", "lecar", "wtinylfu_adaptive", "tinylfu"])
def test_keeps_what_returns_through_a_scan(name, run) -> None:
    job = Job(scanned(hot=40, scan=100, rounds=60), 60)
    best = (40 + 60 * 100) / len(job.trace)
    assert run("lru", job).value == pytest.approx((60 * 140) / len(job.trace))
    assert run(name, job).value < best + 0.06


@pytest.mark.parametrize("name", ["cacheus", "lhd", "wtinylfu_adaptive"])
def test_learns_to_keep_a_part_of_a_loop(name, run) -> None:
    job = Job(loop(101, 100), 90)
    assert run("lru", job).value == 1.0
    assert run(name, job).value < 0.4


def test_lecar_follows_the_better_expert(run) -> None:
    static = Job(zipf(random(), n_objects=400, length=12_000), 40)
    lru, lfu, learned = (run(name, static).value for name in ("lru", "lfu", "lecar"))
    assert lfu < lru - 0.03
    assert learned < (lru + lfu) / 2
    moving = Job(shifting(random(), n_objects=400, length=12_000, phases=12, drift=1.0), 40)
    lru, lfu, learned = (run(name, moving).value for name in ("lru", "lfu", "lecar"))
    assert lru < lfu - 0.02
    assert learned < (lru + lfu) / 2


def test_an_adaptive_window_serves_recency(run) -> None:
    """Each object is requested a few times in a row of short distances and then never again."""
    ids = np.maximum(np.arange(12_000) // 4 - random().integers(0, 60, 12_000), 0)
    job = Job(traced("recency", ids), 100)
    fixed, adaptive = run("wtinylfu", job).value, run("wtinylfu_adaptive", job).value
    assert run("lru", job).value < fixed - 0.02
    assert adaptive < fixed - 0.01


@pytest.mark.parametrize("kind", GENERATORS)
def test_adaptsize_is_lru_where_sizes_are_equal(kind, run) -> None:
    for capacity in (1, 7, 60):
        job = Job(GENERATORS[kind](random(), length=4000), capacity)
        assert run("adaptsize", job).details == run("lru", job).details


def test_adaptsize_and_tinylfu_keep_large_strangers_out(run) -> None:
    """Small popular objects, and large ones that are requested once."""
    ids = zipf(random(), n_objects=300, length=20_000, alpha=0.8).ids.copy()
    strangers = np.arange(3, len(ids), 4)
    ids[strangers] = ids.max() + 1 + np.arange(len(strangers))
    sizes = np.full(len(ids), 10, dtype=np.int64)
    sizes[strangers] = 300
    job = Job(traced("strangers", ids, sizes), 1500, by_bytes=True)
    for name in ("adaptsize", "tinylfu"):
        assert run(name, job).value < run("lru", job).value - 0.1


def reference(data_dir: Path, algorithm: str) -> Iterator[tuple[Job, float, float]]:
    """Jobs, with the mean miss ratio and spread of libcachesim 0.3.5: 21 traces, one also by bytes."""
    folder = data_dir / "cache/real"
    with (folder / "reference.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["algorithm"] == algorithm:
                job = Job(real(folder, row["trace"], False), int(row["capacity"]))
                yield job, float(row["mean_miss_ratio"]), float(row["sd"])
    with (folder / "cloudphysics_io_reference.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["algorithm"] == algorithm:
                by_bytes = row["size_mode"] == "bytes"
                job = Job(real(folder, "cloudphysics_io", True), int(row["capacity"]), by_bytes=by_bytes)
                yield job, float(row["mean_of_runs"]), float(row["sd_of_runs"])


@functools.cache
def real(folder: Path, name: str, sizes: bool) -> Trace:
    return read_trace(str(folder / f"{name}.oracleGeneral.bin.zst"), sizes=sizes)


@pytest.mark.realdata
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("name", "algorithm", "values", "slack", "compared"),
    [
        ("hyperbolic", "Hyperbolic", {}, 0.0005, 48),
        # There an object that returns starts with a count of one.
        ("lecar", "LeCaR", {"RETAINED": 0.0}, 0.001, 45),
        ("lru_prob", "LRUProb", {}, 0.0003, 6),
        # Its draws there are not uniform: a plain simulation with numpy's generator agrees with ours.
        ("random_two", "RandomTwo", {}, 0.002, 6),
    ],
)
def test_reference_within_the_spread_of_runs(name, algorithm, values, slack, compared, data_dir) -> None:
    """The mean of three seeds is within four standard deviations (of theirs or ours) and a small slack."""
    count = 0
    for job, mean, spread in reference(data_dir, algorithm):
        if name == "lecar" and job.by_bytes:
            continue  # how histories and regret count bytes there is not known; see the next test
        ours = ratios(name, job, 3, **values)
        tolerance = slack + 4.0 * max(spread, float(np.std(ours, ddof=1)))
        assert float(np.mean(ours)) == pytest.approx(mean, abs=tolerance), (job.trace.name, job.capacity)
        count += 1
    assert count == compared


@pytest.mark.realdata
@pytest.mark.timeout(600)
def test_lecar_by_bytes_is_near_its_reference(data_dir) -> None:
    for job, mean, _ in reference(data_dir, "LeCaR"):
        if job.by_bytes:
            assert float(np.mean(ratios("lecar", job, 3, RETAINED=0.0))) == pytest.approx(mean, abs=0.006)


@pytest.mark.realdata
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("name", "algorithm", "gain"),
    [
        ("lecar", "LeCaR", 0.02),
        ("lhd", "LHD", 0.01),
        ("wtinylfu_adaptive", "WTinyLFU", 0.01),
    ],
)
def test_where_definitions_differ_ours_is_the_better_one(name, algorithm, gain, run, data_dir) -> None:
    """Mean reduction of the miss ratio against FIFO at 10 % of the objects of 21 traces.

    LeCaR's authors let returning objects keep their counts; libcachesim's LHD hardly leaves its warm-up on
    traces as short as these; its WTinyLFU has a window of fixed size.
    """
    ours, theirs = [], []
    for job, mean, _ in reference(data_dir, algorithm):
        if job.by_bytes or job.capacity != job.trace.capacity("10%") or job.trace.sizes is not None:
            continue
        fifo = run("fifo", job).value
        ours.append(1.0 - run(name, job).value / fifo)
        theirs.append(1.0 - mean / fifo)
    assert len(ours) == 21
    assert float(np.mean(ours)) > float(np.mean(theirs)) + gain
