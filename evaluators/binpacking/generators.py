"""Synthetic item streams: the families of the bin packing literature, in whole numbers.

Reproducible on every machine: the only source of randomness is `Generator.random`. A size with a continuous
distribution is drawn by inverting its cumulative distribution over the whole sizes, whose values are rounded
to multiples of 2**-40, so that the last bit of `exp` and `erf`, which depends on the C library, does not matter.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from evaluators.binpacking.stream import Stream

_GRAIN = 2.0**40


def weibull(
    rng: np.random.Generator, *, n: int = 5000, shape: float = 3.0, scale: float = 45.0, capacity: int = 100
) -> Stream:
    """Rounded Weibull sizes clipped to 1..100, whatever the capacity (at least 100).

    Shape 3, scale 45 and capacity 100 are FunSearch's (Romera-Paredes et al., Nature 625, 2024), after
    Castiñeiras, De Cauwer and O'Sullivan, "Weibull-based benchmarks for bin packing", CP 2012; the same sizes
    with capacity 500 are the shifted sets of MCTS-AHD (Zheng et al., ICML 2025).
    """
    items = _rounded(rng, n, lambda x: 1.0 - math.exp(-((x / scale) ** shape)), 1, 100)
    return Stream(f"weibull-k{shape:.2f}-s{scale:.0f}-c{capacity}-n{n}", items, capacity)


def gaussian(
    rng: np.random.Generator,
    *,
    n: int = 5000,
    mean: float = 0.3662,
    deviation: float = 0.1416,
    capacity: int = 100,
) -> Stream:
    """Normal sizes as fractions of a bin, cut to (0, 1], times the capacity, rounded, at least 1.

    Mean and deviation are MetaMuse's (arXiv 2510.03851), which gives no scale; 100 is our choice.
    """

    def below(x: float) -> float:
        return 0.5 * math.erf((x / capacity - mean) / (deviation * math.sqrt(2.0)))

    low, high = below(0.0), below(float(capacity))
    items = _rounded(rng, n, lambda x: (below(x) - low) / (high - low), 1, capacity)
    return Stream(f"gaussian-m{mean:.2f}-d{deviation:.2f}-c{capacity}-n{n}", items, capacity)


def uniform(
    rng: np.random.Generator, *, n: int = 1000, low: int = 20, high: int = 100, capacity: int = 150
) -> Stream:
    """Whole sizes, each of low..high equally likely.

    The defaults are Falkenauer's class U (Journal of Heuristics 2, 1996), OR-Library's binpack1 to 4.
    """
    items = low + (rng.random(n) * (high - low + 1)).astype(np.int64)
    return Stream(f"uniform-{low}to{high}-c{capacity}-n{n}", items, capacity)


def triplets(rng: np.random.Generator, *, n: int = 999, capacity: int = 1000) -> Stream:
    """Three items a bin without any waste, in random order: the optimum is n / 3, known by construction.

    Falkenauer's class T: one item of 0.38 to 0.49 of a bin, one from 0.25 up to half of what is left, and the
    rest. Two large items or a wrong pair spoil a bin, so this is hard for every rule that packs at once.

    Args:
        rng: Source of randomness.
        n: Number of items, a multiple of 3.
        capacity: Size of a bin, a multiple of 100.
    """
    if n % 3 or capacity % 100:
        raise ValueError("triplets need a number of items divisible by 3 and a capacity divisible by 100")
    percent = capacity // 100
    first = 38 * percent + _below(rng, 11 * percent + 1, n // 3)
    room = capacity - first
    second = 25 * percent + (rng.random(n // 3) * (room // 2 - 25 * percent + 1)).astype(np.int64)
    sizes = np.concatenate([first, second, room - second])
    return Stream(f"triplets-c{capacity}-n{n}", sizes[np.argsort(rng.random(n), kind="stable")], capacity)


def two_peaks(rng: np.random.Generator, *, n: int = 5000, large: float = 0.3, capacity: int = 100) -> Stream:
    """Small and large sizes, none in between: Gaussian around 0.25 of a bin and, a share `large`, around 0.6."""
    small_items = gaussian(rng, n=n, mean=0.25, deviation=0.05, capacity=capacity).items
    large_items = gaussian(rng, n=n, mean=0.6, deviation=0.08, capacity=capacity).items
    items = np.where(rng.random(n) < large, large_items, small_items)
    return Stream(f"peaks-l{large:.2f}-c{capacity}-n{n}", items, capacity)


GENERATORS: dict[str, Callable[..., Stream]] = {
    "weibull": weibull,
    "gaussian": gaussian,
    "uniform": uniform,
    "triplets": triplets,
    "two_peaks": two_peaks,
}


def _rounded(
    rng: np.random.Generator, n: int, below: Callable[[float], float], low: int, high: int
) -> NDArray[np.int64]:
    """n variates rounded and clipped to low..high; ``below(x)`` is the probability of less than x."""
    steps = np.array([below(size + 0.5) for size in range(low, high)])
    thresholds = np.round(steps * _GRAIN) / _GRAIN
    return low + np.searchsorted(thresholds, rng.random(n), side="right").astype(np.int64)


def _below(rng: np.random.Generator, limit: int, n: int) -> NDArray[np.int64]:
    return (rng.random(n) * limit).astype(np.int64)
