"""The random streams of synthetic workloads, and plain draws from `Generator.random` alone.

Numpy may change the algorithms of its other distributions; the bits behind `random` stay the same.
"""

from __future__ import annotations

import numpy as np

#: The sets of workloads and the numbers of their random streams.
STREAMS = {"feedback": 0, "validation": 1, "holdout": 2}


def generator(seed: int, which: str, i: int) -> np.random.Generator:
    """The random stream of workload ``i`` of a set; no two share one, and ``i`` does not depend on their number.

    Raises:
        ValueError: There is no such set.
    """
    if which not in STREAMS:
        raise ValueError(f"there is no synthetic set {which!r}; known are {', '.join(STREAMS)}")
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(STREAMS[which], i)))


def uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number in [low, high)."""
    return low + float(rng.random()) * (high - low)


def integer(rng: np.random.Generator, low: int, high: int) -> int:
    """A whole number in [low, high]."""
    return low + int(float(rng.random()) * (high - low + 1))
