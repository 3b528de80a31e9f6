"""Random numbers that are a hash of what they are for: a reading is the same whoever takes it, and whenever it is asked.

So two policies that read a probe at the same tick read the same number, and what was read need not be kept.
"""

from __future__ import annotations

from numba import njit

_GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)
_MIX_1 = 0xBF58476D1CE4E5B9 - (1 << 64)
_MIX_2 = 0x94D049BB133111EB - (1 << 64)
_ROOT_3 = 1.7320508075688772


@njit(inline="always")
def salt(seed, a):  # type: ignore[no-untyped-def]
    """The part of :func:`hashed` that does not depend on the second number, for those who ask often."""
    x = seed + a * _GOLDEN
    x = (x ^ ((x >> 30) & 0x3FFFFFFFF)) * _MIX_1
    x = (x ^ ((x >> 27) & 0x1FFFFFFFFF)) * _MIX_2
    return x ^ ((x >> 31) & 0x1FFFFFFFF)


@njit(inline="always")
def salted(salt, b):  # type: ignore[no-untyped-def]
    """The rest of it."""
    x = salt + b * _GOLDEN
    x = (x ^ ((x >> 30) & 0x3FFFFFFFF)) * _MIX_1
    x = (x ^ ((x >> 27) & 0x1FFFFFFFFF)) * _MIX_2
    return x ^ ((x >> 31) & 0x1FFFFFFFF)


@njit(inline="always")
def hashed(seed, a, b):  # type: ignore[no-untyped-def]
    """64 bits of a seed and two whole numbers (SplitMix64's finaliser, twice)."""
    return salted(salt(seed, a), b)


@njit(inline="always")
def uniform(seed, a, b):  # type: ignore[no-untyped-def]
    """A number in [0, 1)."""
    return uniform_of(hashed(seed, a, b))


@njit(inline="always")
def uniform_of(x):  # type: ignore[no-untyped-def]
    """A number in [0, 1) of 64 bits."""
    return ((x >> 11) & 0x1FFFFFFFFFFFFF) / 9007199254740992.0


@njit(inline="always")
def normal(seed, a, b):  # type: ignore[no-untyped-def]
    """Mean 0, s.d. 1: the sum of four 16-bit uniform numbers, so no tail beyond 3.46 s.d. and no library function."""
    return normal_of(hashed(seed, a, b))


@njit(inline="always")
def normal_of(x):  # type: ignore[no-untyped-def]
    """The same of 64 bits."""
    total = (x & 0xFFFF) + ((x >> 16) & 0xFFFF) + ((x >> 32) & 0xFFFF) + ((x >> 48) & 0xFFFF)
    return (total / 65535.0 - 2.0) * _ROOT_3
