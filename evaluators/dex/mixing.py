"""Numbers that look random and depend on their arguments alone.

Unsigned arithmetic: Numba tells LLVM that signed products never overflow, and masks that rely on wrapping are then left out.
"""

from __future__ import annotations

import numpy as np

from evaluators.dex.memory import compiled

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _1 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(1)
#: Times a number of :func:`mix`: a float in [0, 1).
UNIT = 1.0 / (1 << 63)


@compiled
def mix(x):  # type: ignore[no-untyped-def]
    """A number in [0, 2^63) from an int64: SplitMix64's step and finaliser, without the lowest bit."""
    z = np.uint64(x) + _STEP
    z = (z ^ (z >> _30)) * _FIRST
    z = (z ^ (z >> _27)) * _SECOND
    return np.int64((z ^ (z >> _31)) >> _1)


@compiled
def next_of(ints, place):  # type: ignore[no-untyped-def]
    """The next number of a counter-based stream, [0, 2^63)."""
    ints[place] += 1
    return mix(ints[place])
