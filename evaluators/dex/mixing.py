"""Numbers that look random and depend on their arguments alone; 63 bits, so that CPython computes the same."""

from __future__ import annotations

from evaluators.dex.memory import compiled

_A = 0x1E3779B97F4A7C15
_B = 0x3F58476D1CE4E5B9
_C = 0x14D049BB133111EB
_MASK = (1 << 63) - 1
#: Times a number of :func:`mix`: a float in [0, 1).
UNIT = 1.0 / (1 << 63)


@compiled
def mix(x):  # type: ignore[no-untyped-def]
    """A number in [0, 2^63) from a non-negative one: a multiply-xorshift finaliser modulo 2^63."""
    z = (x * _A + _B) & _MASK
    z ^= z >> 31
    z = (z * _C) & _MASK
    z ^= z >> 29
    z = (z * _B) & _MASK
    return z ^ (z >> 32)


@compiled
def next_of(ints, place):  # type: ignore[no-untyped-def]
    """The next number of a counter-based stream, [0, 2^63)."""
    ints[place] += 1
    return mix(ints[place])
