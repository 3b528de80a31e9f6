"""Latency histograms with bins of about one percent, in whole nanoseconds, and the authors' percentile."""

from __future__ import annotations

import numpy as np
from numba import njit

#: Bins an octave, as a power of two: a bin is 0.8 to 1.6 percent wide.
_SUB_BITS = 6
_SUB = 1 << _SUB_BITS
#: Latencies of 2**38 ns (275 s) and more are in the last bin.
BINS = (38 - _SUB_BITS + 1) * _SUB


@njit(cache=True)
def bin_of(ns: int) -> int:
    """The bin of a latency; exact up to 64 ns, then 64 bins an octave."""
    shift = 0
    rest = ns >> _SUB_BITS
    for step in (32, 16, 8, 4, 2, 1):
        if rest >> step:
            rest >>= step
            shift += step
    if ns >= _SUB:
        shift += 1
        return min((shift << _SUB_BITS) + (ns >> (shift - 1)) - _SUB, BINS - 1)
    return ns


def edges() -> np.ndarray:
    """float64[BINS + 1]: lower edges of all bins in ns, and the upper edge of the last."""
    octave, sub = np.divmod(np.arange(BINS + 1), _SUB)
    return np.where(octave == 0, sub, (sub + _SUB) * 2.0 ** np.maximum(octave - 1, 0))


_EDGES = edges()


def percentile(counts: np.ndarray, p: float) -> float:
    """A percentile of latencies in ms; 0.0 if there are none.

    Of n latencies in ascending order it is the one with index ``floor((p n - 1) / 100)`` (the authors' rule for
    p = 99); within a bin they are taken to lie evenly.

    Args:
        counts: int64[BINS].
        p: Percent, above 0.
    """
    total = int(counts.sum())
    if not total:
        return 0.0
    rank = max(0, int((p * total - 1) // 100))
    upto = np.cumsum(counts)
    place = int(np.searchsorted(upto, rank, side="right"))
    within = (rank - (int(upto[place]) - int(counts[place])) + 0.5) / int(counts[place])
    low, high = _EDGES[place], _EDGES[place + 1]
    return float(low + within * (high - low)) / 1e6
