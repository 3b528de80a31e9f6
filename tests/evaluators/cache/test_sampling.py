"""Spatial sampling: which objects are taken, that a reader takes the same, and what the estimate is worth."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from evaluators.base import WorkloadError
from evaluators.cache.builder import TraceBuilder
from evaluators.cache.capacity import parse_capacity
from evaluators.cache.generators import zipf
from evaluators.cache.readers import read_trace
from evaluators.cache.sampling import SEED, check_rate, chosen, sampled, standard_error, threshold
from evaluators.cache.simulator import CONTRACT, Job, bind, simulate
from evaluators.cache.spool import spooled
from evaluators.cache.trace import Sample, Trace
from metamuse import config
from metamuse.build import make_problem
from metamuse.errors import UsageError
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load
from metamuse.policykit import hash64

LRU = Path(__file__).parents[3] / "problems" / "cache" / "baselines" / "lru.py"


def test_an_object_is_taken_by_the_hash_of_its_key() -> None:
    keys = np.array([0, 1, 2, 2**63, 2**64 - 1, *range(100, 400)], np.uint64)
    signed = keys.view(np.int64).tolist()
    for rate in (0.01, 0.5, 0.999):
        assert chosen(keys, rate).tolist() == [hash64(key, SEED) < threshold(rate) for key in signed]
    # A smaller sample is part of a larger one.
    assert not (chosen(keys, 0.1) & ~chosen(keys, 0.3)).any()
    assert chosen(np.arange(100_000, dtype=np.uint64), 0.1).mean() == pytest.approx(0.1, abs=0.005)


def test_a_sample_has_all_requests_of_its_objects() -> None:
    trace = Trace.from_keys("t", np.random.default_rng(3).integers(0, 200, 5000), np.arange(1, 5001))
    part = sampled(trace, 0.25)
    taken = chosen(np.arange(200, dtype=np.uint64), 0.25)
    kept = [i for i, object_id in enumerate(trace.ids.tolist()) if taken[object_id]]
    assert part.sizes is not None
    assert part.sizes.tolist() == [i + 1 for i in kept]
    assert part.ids.tolist() == Trace.from_keys("t", trace.ids[kept]).ids.tolist()
    assert (part.n_objects, part.sample) == (int(taken.sum()), Sample(0.25, 5000))
    assert part.expected == 1250
    assert sampled(trace, 1) is trace


@pytest.mark.parametrize("form", ["t.npy", "t.txt", "strings.txt"])
def test_readers_take_objects_by_their_keys(tmp_path: Path, form: str) -> None:
    keys = np.random.default_rng(4).integers(0, 3000, 20_000).astype(np.uint64)
    path = tmp_path / form
    if form == "t.npy":
        np.save(path, keys)
    else:
        path.write_text("\n".join(f"{'k' if form == 'strings.txt' else ''}{key}" for key in keys))
    build = partial(TraceBuilder, rate=0.1)
    trace = read_trace(path, build=build)
    assert trace.sample == Sample(0.1, 20_000)
    if form == "strings.txt":
        assert trace.n_objects == pytest.approx(300, abs=60)
        by_key = Trace.from_keys("t", keys)
        counts = np.bincount(by_key.ids)
        assert set(np.bincount(trace.ids).tolist()) <= set(counts.tolist())
    else:
        assert trace.ids.tolist() == Trace.from_keys("t", keys[chosen(keys, 0.1)]).ids.tolist()
    again = spooled(str(path), tmp_path / "spool", rate=0.1)
    assert again.digest() == trace.digest()
    assert again.sample == trace.sample


def test_a_capacity_in_objects_or_bytes_is_that_of_the_whole_trace() -> None:
    trace = sampled(Trace.from_keys("t", np.arange(4000), np.full(4000, 10)), 0.1)
    assert trace.capacity(500) == 50
    assert trace.capacity("5kB", "bytes") == 500
    assert trace.capacity("10%") == trace.n_objects // 10
    assert parse_capacity(3).resolve("unit", n_objects=9, footprint=9, rate=0.01) == 1


def test_misses_of_objects_give_the_standard_error() -> None:
    # Two objects of three and one miss: variance (1 - R) (9 + 1) / R^2 over N^2.
    found = standard_error(np.array([3, 1], np.int32), Sample(0.5, 100), 100)
    assert found == pytest.approx((0.5 * 10 / 0.25) ** 0.5 / 100)
    assert standard_error(np.array([3, 1], np.int32), Sample(1.0, 100), 100) == 0


def test_the_estimate_is_near_what_it_estimates() -> None:
    trace = zipf(np.random.default_rng(5), n_objects=100_000, length=1_000_000, alpha=0.8)
    policy = CompiledPolicy(load(LRU.read_text(), CONTRACT), (16, 49))
    loop = bind(policy)
    whole = simulate(policy, loop, Job(trace, trace.capacity("10%")))
    part = sampled(trace, 0.05)
    score = simulate(policy, loop, Job(part, part.capacity("10%")))
    assert "standard_error" not in whole.details
    assert score.details["requests"] == len(part)
    assert score.value == score.details["misses"] / (0.05 * len(trace))
    assert 0 < score.details["standard_error"] < 0.02
    assert abs(score.value - whole.value) < 4 * score.details["standard_error"] + 0.01


def test_the_option() -> None:
    whole = make_problem(config.compose(["problem=cache"])).workloads("feedback")
    problem = make_problem(config.compose(["problem=cache", "problem.sample=0.2"]))
    part = problem.workloads("feedback")
    assert [job.trace.sample.requests for job in part] == [len(job.trace) for job in whole]
    assert all(job.capacity == max(1, job.trace.n_objects // 10) for job in part)
    bound = problem.bound("belady", part[0])
    assert bound.value == bound.details["misses"] / part[0].trace.expected
    for rate in ("0", "1.5", "-1"):
        with pytest.raises(UsageError, match=r"problem.sample must be a share of the objects in \(0, 1\]"):
            make_problem(config.compose(["problem=cache", f"problem.sample={rate}"]))


def test_nothing_left() -> None:
    with pytest.raises(WorkloadError, match=r"t: problem.sample=1e-09 leaves no request of it"):
        sampled(Trace.from_keys("t", np.arange(5)), 1e-9)
    assert check_rate(1) == 1
