"""The compiled twin of :func:`metamuse.policykit.hash64`."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit("int64(int64, int64)", boundscheck=False, error_model="numpy")
def hash64(x: int, seed: int) -> int:
    """Equal to the interpreted function for every pair of 64-bit integers."""
    golden = np.uint64(0x9E3779B97F4A7C15)
    z = np.uint64(x) + (np.uint64(seed) + np.uint64(1)) * golden
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.int64((z ^ (z >> np.uint64(31))) >> np.uint64(1))  # type: ignore[return-value]  # compiled only
