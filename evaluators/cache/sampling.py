"""Spatial sampling: a trace of a random part of the objects, with all their requests.

SHARDS (Waldspurger, Park, Garthwaite and Ahmad, FAST 2015, section 3): an object is taken if a hash of its key
lies below a threshold, so whether it is taken is the same at each of its requests, and a cache of R times the size
sees a workload of R times the objects. Any policy can be simulated so (Waldspurger, Saemundsson, Ahmad and Park,
USENIX ATC 2017).

The misses that a sample of rate R counts, divided by R, estimate those of the whole trace (Horvitz and Thompson,
1952: every object is taken with probability R). Divided by the requests of the whole trace they are the miss ratio:
the same as SHARDS' adjustment, which takes the difference between expected and sampled requests for hits.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from evaluators.base import WorkloadError
from evaluators.cache.trace import Sample, Trace
from metamuse.policykit.compiled import hash64

#: Seed of the hash that samples; another than that of the keys policies see, so the two are independent.
SEED = 0x5A3D
_HASHES = 2**63


def check_rate(rate: float) -> float:
    """Returns the rate.

    Raises:
        WorkloadError: It is not in (0, 1].
    """
    if not 0 < rate <= 1:
        raise WorkloadError(f"problem.sample must be a share of the objects in (0, 1], not {rate:g}")
    return rate


def threshold(rate: float) -> int:
    """Hashes below it are taken."""
    return math.ceil(rate * _HASHES)


@njit(cache=True)
def _below(keys, limit, seed):  # type: ignore[no-untyped-def]
    taken = np.empty(keys.shape[0], np.bool_)
    for i in range(keys.shape[0]):
        taken[i] = hash64(keys[i], seed) < limit
    return taken


def chosen(keys: NDArray[np.uint64], rate: float) -> NDArray[np.bool_]:
    """Which of integer keys [n] are taken, bool [n]; for rates below 1."""
    taken: NDArray[np.bool_] = _below(keys.view(np.int64), threshold(rate), SEED)
    return taken


def chosen_strings(keys: list[bytes], rate: float) -> NDArray[np.bool_]:
    """Which of byte-string keys [n] are taken, bool [n]; for rates below 1."""
    hashes = (hashlib.blake2b(key, digest_size=8).digest() for key in keys)
    return chosen(np.fromiter((int.from_bytes(h, "little") for h in hashes), np.uint64, len(keys)), rate)


def sampled(trace: Trace, rate: float) -> Trace:
    """The sample of a trace in memory; its ids are the keys. At rate 1 the trace itself.

    Raises:
        WorkloadError: Nothing is left.
    """
    if rate == 1:
        return trace
    of_object = chosen(np.arange(trace.n_objects, dtype=np.uint64), rate)
    taken = of_object[trace.ids]
    if not taken.any():
        raise nothing_left(trace.name, rate)
    renumbered = np.cumsum(of_object) - 1  # objects keep their order of first appearance

    def part(array: NDArray[Any] | None) -> NDArray[Any] | None:
        return None if array is None else array[taken]

    ids = renumbered[trace.ids[taken]].astype(trace.ids.dtype)
    return Trace(trace.name, ids, part(trace.sizes), part(trace.times), Sample(rate, len(trace)))


def nothing_left(name: str, rate: float) -> WorkloadError:
    """The error for a sample without requests."""
    return WorkloadError(f"{name}: problem.sample={rate:g} leaves no request of it; take a larger share")


def standard_error(misses: NDArray[np.integer[Any]], sample: Sample, counted: float) -> float:
    """Standard error of a sampled miss ratio, from the misses of each sampled object [m].

    That of the Horvitz-Thompson estimate for independently taken objects: sum of (1 - R) m_i^2 / R^2, its root over
    the requests. It takes an object's misses for given; that a sample's objects press harder or less hard on
    its small cache than all objects do on the large one is not in it.

    Args:
        misses: Counted misses of each object of the sample.
        sample: How it was taken.
        counted: Requests of the whole trace that are counted.
    """
    squares = float(np.square(misses, dtype=np.float64).sum())
    return math.sqrt((1 - sample.rate) * squares) / sample.rate / counted
