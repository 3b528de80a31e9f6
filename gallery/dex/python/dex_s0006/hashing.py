"""The hash that all numbers which look random are made of."""

from __future__ import annotations

_MASK = (1 << 64) - 1


def hash64(x: int, seed: int) -> int:
    """Hash an integer to ``[0, 2**63)``, by the finaliser of SplitMix64."""
    z = (x + (seed + 1) * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return (z ^ (z >> 31)) >> 1
