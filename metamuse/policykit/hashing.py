"""The one hash function of the policy language."""

from __future__ import annotations

_MASK = (1 << 64) - 1


def hash64(x: int, seed: int = 0) -> int:
    """Hash an integer to ``[0, 2**63)``; equal on every machine and in both execution modes.

    The finaliser is SplitMix64's (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number
    Generators", OOPSLA 2014), applied to ``x + seed * golden`` in 64-bit wrapping arithmetic.

    Args:
        x: Any integer that fits 64 bits.
        seed: Chooses one of many independent hash functions.
    """
    z = (int(x) + (int(seed) + 1) * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return (z ^ (z >> 31)) >> 1
