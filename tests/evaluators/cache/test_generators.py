"""Synthetic traces: reproducible, different, and each with the property it exists for."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from evaluators.cache.belady import next_access
from evaluators.cache.generators import GENERATORS, bursts, mixture, one_hit, scan_loop, shifting, zipf
from evaluators.cache.suites import synthetic_suite
from evaluators.cache.trace import Trace


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("name", GENERATORS)
def test_every_family_honours_length_seed_and_sizes(name: str) -> None:
    make = GENERATORS[name]
    for length in (1, 999, 5000):
        assert len(make(rng(), length=length)) == length
    assert make(rng(1)).digest() == make(rng(1)).digest() != make(rng(2)).digest()
    plain, sized = make(rng(1)), make(rng(1), with_sizes=True)
    np.testing.assert_array_equal(plain.ids, sized.ids)
    assert plain.sizes is None and sized.sizes is not None
    first = sized.sizes[np.unique(sized.ids, return_index=True)[1]]
    np.testing.assert_array_equal(sized.sizes, first[sized.ids])  # one size an object


@pytest.mark.parametrize("alpha", [0.625, 1.0, 2.0])
def test_zipf_frequencies_follow_the_law(alpha: float) -> None:
    n_objects, length = 500, 200_000
    counts = np.sort(np.bincount(zipf(rng(), n_objects=n_objects, length=length, alpha=alpha).ids))[::-1]
    weights = np.arange(1, n_objects + 1) ** -alpha
    expected = length * weights / weights.sum()
    np.testing.assert_allclose(counts[:10], expected[:10], atol=5 * np.sqrt(expected[:10].max()))


def test_loops_are_larger_than_a_cache_of_a_tenth() -> None:
    ids = scan_loop(rng(), n_objects=1000, length=10_000, skip=0.05).ids
    gaps = next_access(ids, 1000) - np.arange(len(ids))
    returning = gaps[gaps < len(ids) - np.arange(len(ids))]
    assert len(returning) and returning.min() > 800


def test_shifting_changes_who_is_popular() -> None:
    def shared(drift: float) -> int:
        """Objects that are among the 20 most popular of both the first and the last phase."""
        ids = shifting(rng(), n_objects=500, length=20_000, phases=4, drift=drift).ids
        first, *_, last = (np.bincount(part, minlength=500) for part in np.array_split(ids, 4))
        return len(np.intersect1d(np.argsort(first)[-20:], np.argsort(last)[-20:]))

    assert shared(1.0) < 10 < shared(0.0)


def test_mixture_contains_the_loop() -> None:
    trace = mixture(rng(), n_objects=300, length=10_000, loop_objects=200, loop_share=0.5, run=50)
    steps = np.diff(trace.ids)
    assert 350 < trace.n_objects <= 500
    assert (steps == 1).mean() > 0.3  # a loop's ids are neighbours; independent requests rarely are
    assert len(mixture(rng(), loop_share=0.0, n_objects=300).ids) == 25_000


def test_burst_objects_live_briefly() -> None:
    trace = bursts(rng(), n_objects=100, length=20_000, burst_share=0.5, burst_objects=10, burst_length=100)
    first = np.unique(trace.ids, return_index=True)[1]
    last = len(trace) - 1 - np.unique(trace.ids[::-1], return_index=True)[1]
    lifetime = last - first
    assert trace.n_objects > 900
    assert (lifetime < 400).sum() > 850
    assert np.bincount(trace.ids).mean() > 5


def test_one_hit_share() -> None:
    trace = one_hit(rng(), n_objects=200, length=20_000, share=0.3)
    once = (np.bincount(trace.ids) == 1).sum()
    assert once == pytest.approx(6000, abs=300)


def test_sizes_are_lognormal() -> None:
    sizes = zipf(rng(), n_objects=20_000, length=400_000, alpha=0.5, with_sizes=True)
    logs = np.log2(sizes.sizes[np.unique(sizes.ids, return_index=True)[1]])  # type: ignore[index]
    assert logs.mean() == pytest.approx(14, abs=0.05)
    assert logs.std() == pytest.approx(1.9, abs=0.05)
    assert ((logs - 14) ** 3).mean() == pytest.approx(0, abs=0.3)


def fingerprint(traces: list[Trace]) -> str:
    return hashlib.sha256("".join(f"{trace.name}{trace.digest()}" for trace in traces).encode()).hexdigest()[
        :16
    ]


def test_suites_are_the_same_on_every_machine() -> None:
    """Numbers written down once: changing the generators changes all results, so it must be a decision."""
    assert {
        "feedback": fingerprint(synthetic_suite("feedback", 0)),
        "validation": fingerprint(synthetic_suite("validation", 0)),
        "holdout": fingerprint(synthetic_suite("holdout", 0, with_sizes=True)),
    } == {
        "feedback": "18a64f4b6d4331fa",
        "validation": "2fe0c566477a7d7b",
        "holdout": "22b3a3836f7bd7ab",
    }


def test_suites_have_the_promised_shape() -> None:
    feedback = synthetic_suite("feedback", 7)
    assert len(feedback) == 30
    assert sum("-zipf-" in trace.name for trace in feedback) == 15
    assert feedback[7].name.startswith("synthetic/feedback/07-")
    for which in ("validation", "holdout"):
        traces = synthetic_suite(which, 7)
        kinds = [trace.name.split("/")[2].split("-")[1] for trace in traces]
        assert {kinds.count(kind) for kind in set(kinds)} == {4} and len(set(kinds)) == 6
    for trace in feedback:
        assert 20_000 <= len(trace) <= 30_000


def test_sets_and_seeds_share_no_trace() -> None:
    digests = [
        trace.digest()
        for seed in (0, 1)
        for which in ("feedback", "validation", "holdout")
        for trace in synthetic_suite(which, seed)
    ]
    assert len(set(digests)) == len(digests) == 2 * (30 + 24 + 24)


def test_bad_suites_are_refused() -> None:
    with pytest.raises(ValueError, match="there is no synthetic set 'train'"):
        synthetic_suite("train", 0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one trace"):
        synthetic_suite("feedback", 0, 0)
