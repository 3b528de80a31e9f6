"""Synthetic traces: a Zipf family and families that stress what Zipf's independent requests do not.

Reproducible to the bit on every machine: the only source of randomness is `Generator.random` (53 bits of the
bit stream each), and everything computed from it uses operations that IEEE 754 rounds exactly (+ - * / sqrt,
comparisons). `pow`, `exp` and `log` are avoided: their last bit depends on the CPU and the C library.

Costs about 50 bytes a request while it is made. See `suites` for the sets a search uses.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from evaluators.cache.trace import Trace

ALPHA_STEPS = 128  # Zipf exponents are multiples of 1/128
_EXP2_STEPS = 256  # sizes are powers of two with exponents in steps of 1/256, i.e. 0.3 % apart
_MEDIAN_BYTES = 16384.0
_SIZE_SPREAD = 1.9  # standard deviation of log2(size): 95 % of objects within a factor 13 of the median


def zipf(
    rng: np.random.Generator,
    *,
    n_objects: int = 1500,
    length: int = 25_000,
    alpha: float = 1.0,
    with_sizes: bool = False,
) -> Trace:
    """Independent requests, the k-th most popular object with probability proportional to k**-alpha.

    The paper's feedback family, and a fair model of a shared cache's popularity. It has no recency at all:
    frequency is everything there is to learn.
    """
    keys = _zipf_ranks(rng, n_objects, alpha, length)
    return _trace(rng, f"zipf-a{alpha:.2f}-n{n_objects}", keys, with_sizes)


def scan_loop(
    rng: np.random.Generator,
    *,
    n_objects: int = 2000,
    length: int = 25_000,
    skip: float = 0.05,
    with_sizes: bool = False,
) -> Trace:
    """The same objects in the same order again and again, each left out of a pass with probability `skip`.

    A loop larger than the cache is the worst case of LRU and FIFO, which miss every request; holding on to
    any subset is better. Table scans, model weights and retrieval sweeps look like this.
    """
    drawn = int(length / (1.0 - skip) * 1.1) + 1000
    order = np.arange(drawn, dtype=np.int64) % n_objects
    kept = order[rng.random(drawn) >= skip]
    # The margin makes a short draw practically impossible; repeating it keeps the length exact even then.
    return _trace(rng, f"loop-n{n_objects}-s{skip:.2f}", np.resize(kept, length), with_sizes)


def shifting(
    rng: np.random.Generator,
    *,
    n_objects: int = 2000,
    length: int = 25_000,
    alpha: float = 1.0,
    phases: int = 8,
    drift: float = 0.5,
    with_sizes: bool = False,
) -> Trace:
    """Zipf popularity that drifts: in each phase a share `drift` of the objects exchange their ranks.

    Yesterday's counts mislead: a policy must forget. Plain LFU fails here.
    """
    object_of_rank = np.arange(n_objects, dtype=np.int64)
    parts = []
    for phase in range(phases):
        if phase:
            moved = np.flatnonzero(rng.random(n_objects) < drift)
            object_of_rank[moved] = object_of_rank[moved][np.argsort(rng.random(len(moved)), kind="stable")]
        n = length * (phase + 1) // phases - length * phase // phases
        parts.append(object_of_rank[_zipf_ranks(rng, n_objects, alpha, n)])
    name = f"shift-a{alpha:.2f}-n{n_objects}-p{phases}-d{drift:.2f}"
    return _trace(rng, name, np.concatenate(parts), with_sizes)


def mixture(
    rng: np.random.Generator,
    *,
    n_objects: int = 1500,
    length: int = 25_000,
    alpha: float = 1.0,
    loop_objects: int = 400,
    loop_share: float = 0.4,
    run: int = 100,
    with_sizes: bool = False,
) -> Trace:
    """Zipf requests interrupted by stretches of a loop over `loop_objects` others.

    Stretches of `run` requests belong to the loop with probability `loop_share`; the loop goes on where it
    stopped. A policy must shield the popular objects from a scan yet may gain from the loop if it fits.
    """
    in_loop = np.repeat(rng.random(-(-length // run)) < loop_share, run)[:length]
    keys = _zipf_ranks(rng, n_objects, alpha, length)
    keys[in_loop] = n_objects + np.arange(int(in_loop.sum())) % loop_objects
    return _trace(rng, f"mix-a{alpha:.2f}-n{n_objects}-l{loop_objects}-s{loop_share:.2f}", keys, with_sizes)


def bursts(
    rng: np.random.Generator,
    *,
    n_objects: int = 1500,
    length: int = 25_000,
    alpha: float = 0.9,
    burst_share: float = 0.4,
    burst_objects: int = 20,
    burst_length: int = 100,
    with_sizes: bool = False,
) -> Trace:
    """Zipf requests mixed with new objects that are hot for a short while and never come back.

    A share `burst_share` of the requests goes to the current burst: `burst_objects` fresh objects for
    `burst_length` requests, then the next. Objects earn a high count and are worthless a moment later
    (news, sessions, temporary files), so recency has to outweigh frequency.
    """
    keys = _zipf_ranks(rng, n_objects, alpha, length)
    bursting = np.flatnonzero(rng.random(length) < burst_share)
    burst = np.arange(len(bursting)) // burst_length
    keys[bursting] = n_objects + burst * burst_objects + _below(rng, burst_objects, len(bursting))
    name = f"burst-a{alpha:.2f}-n{n_objects}-s{burst_share:.2f}-k{burst_objects}"
    return _trace(rng, name, keys, with_sizes)


def one_hit(
    rng: np.random.Generator,
    *,
    n_objects: int = 1500,
    length: int = 25_000,
    alpha: float = 0.9,
    share: float = 0.3,
    with_sizes: bool = False,
) -> Trace:
    """Zipf requests mixed with objects that are requested exactly once (a share `share` of the requests).

    Typical of CDN and block traffic, where most objects are one-hit wonders. Whatever is admitted without
    proof pollutes the cache: admission, probation queues and ghosts pay off.
    """
    keys = _zipf_ranks(rng, n_objects, alpha, length)
    once = np.flatnonzero(rng.random(length) < share)
    keys[once] = n_objects + np.arange(len(once))
    return _trace(rng, f"onehit-a{alpha:.2f}-n{n_objects}-s{share:.2f}", keys, with_sizes)


GENERATORS: dict[str, Callable[..., Trace]] = {
    "zipf": zipf,
    "scan_loop": scan_loop,
    "shifting": shifting,
    "mixture": mixture,
    "bursts": bursts,
    "one_hit": one_hit,
}


def _trace(rng: np.random.Generator, name: str, keys: NDArray[np.int64], with_sizes: bool) -> Trace:
    """Makes ids dense. Sizes are drawn last, so the requests are the same with and without them."""
    trace = Trace.from_keys(name, keys)
    if not with_sizes:
        return trace
    return Trace(name, trace.ids, lognormal_bytes(rng, trace.n_objects)[trace.ids])


def _below(rng: np.random.Generator, limit: int, n: int) -> NDArray[np.int64]:
    """n uniform integers in [0, limit), from `random` alone (the algorithm of `integers` may change)."""
    return (rng.random(n) * limit).astype(np.int64)


def _zipf_ranks(rng: np.random.Generator, n_objects: int, alpha: float, n: int) -> NDArray[np.int64]:
    """n independent ranks in [0, n_objects), by inverting the cumulative distribution."""
    cumulative = np.cumsum(1.0 / _power(np.arange(1.0, n_objects + 1.0), alpha))
    ranks = np.searchsorted(cumulative, rng.random(n) * cumulative[-1], side="right")
    capped: NDArray[np.int64] = np.minimum(ranks, n_objects - 1).astype(np.int64)
    return capped


def _power(base: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    """base**exponent for an exponent rounded to a multiple of 1/128, by square roots and products only."""
    steps = round(exponent * ALPHA_STEPS)
    factor = base
    for _ in range(ALPHA_STEPS.bit_length() - 1):
        factor = np.sqrt(factor)
    result = np.ones_like(base)
    while steps:
        if steps & 1:
            result = result * factor
        factor = factor * factor
        steps >>= 1
    return result


def lognormal_bytes(rng: np.random.Generator, n: int) -> NDArray[np.int64]:
    """Sizes of n objects: lognormal, median 16 KiB, at least 1 byte.

    The normal variate is a sum of twelve uniforms (mean 6, variance 1), which is exact to compute and ends at
    six standard deviations.
    """
    normal = np.zeros(n)
    for _ in range(12):
        normal = normal + rng.random(n)
    steps = np.floor((normal - 6.0) * _SIZE_SPREAD * _EXP2_STEPS).astype(np.int64)
    root = 2.0  # becomes 2**(1/256)
    for _ in range(_EXP2_STEPS.bit_length() - 1):
        root = float(np.sqrt(root))
    mantissa = np.cumprod(np.concatenate(([1.0], np.full(_EXP2_STEPS - 1, root))))
    powers = np.ldexp(mantissa[steps % _EXP2_STEPS], (steps // _EXP2_STEPS).astype(np.int32))
    sizes: NDArray[np.int64] = np.maximum(powers * _MEDIAN_BYTES, 1.0).astype(np.int64)
    return sizes
