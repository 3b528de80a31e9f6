"""dex policy s0006, Mix Few Misses.

Written by MetaMuse; decides as the policy did in the simulator."""

from __future__ import annotations

import math


def _int64(x):
    """An integer cut to 64 bits, as machines do."""
    return (x + 9223372036854775808 & 18446744073709551615) - 9223372036854775808


def _to_int(x):
    """``int(x)``; NaN, infinities and what is beyond 64 bits are errors."""
    result = int(x)
    if not -9223372036854775808 <= result <= 9223372036854775807:
        raise OverflowError('a number beyond 64 bits cannot be an int')
    return result


def _right_shift(a, b):
    """``a >> b`` for counts of 0..63."""
    if not 0 <= b <= 63:
        raise ValueError('a shift by a negative number or by more than 63 bits')
    return a >> b


def hash64(x: int, seed: int = 0) -> int:
    """Hash an integer to ``[0, 2**63)``; equal on every machine and in both execution modes.

    The finaliser is SplitMix64's (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number
    Generators", OOPSLA 2014), applied to ``x + seed * golden`` in 64-bit wrapping arithmetic.

    Args:
        x: Any integer that fits 64 bits.
        seed: Chooses one of many independent hash functions.
    """
    z = (int(x) + (int(seed) + 1) * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return (z ^ (z >> 31)) >> 1


class Rng:
    """A counter-based random stream: the n-th draw is ``hash64(n, seed)``.

    Args:
        seed: Streams with different seeds are independent.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = int(seed)
        self.count = 0

    def uniform(self) -> float:
        """Return a uniform float in ``[0, 1)``."""
        self.count += 1
        return (hash64(self.count, self.seed) >> 10) / 9007199254740992.0


EPOCH = 113370  # tune: 1000..200000 log
RANK = 2.59  # tune: 0.5..12.0 log
FEW = 0.124  # tune: 0.002..0.3 log
GENTLE = 3.92  # tune: 0.3..6.0 log
ADMIT = 0.0161  # tune: 0.01..0.5 log


class Policy:
    """Mix Few Misses: Inner nodes carry others and are spared clearly. Inner nodes carry others and are
    spared very much."""

    def __init__(self, thread, threads, cpus, height):
        self.rng = Rng(thread)

    def heat(self, word, now):
        gone = (_int64(now // EPOCH) % 65536 - (word >> 8)) % 65536
        return float(_right_shift(word & 255, min(gone, 8)))

    def note(self, level, op, word, now):
        epoch = (now // EPOCH) % 65536
        gone = (epoch - (word >> 8)) % 65536
        return epoch << 8 | min(255, _right_shift(word & 255, min(gone, 8)) + 1)

    def on_miss(self, level, op, word, full, may_offload, seen):
        now = _to_int(seen[0])
        heat = self.heat(word, now)
        if level > 0:
            call = False
            if may_offload and full:
                edge = (level + 1) * seen[1] / max(0.1, seen[2])
                call = self.rng.uniform() < math.pow(edge, GENTLE) / (1.0 + math.pow(edge, GENTLE))
            return 2 if call else 1
        if op < 3 and not full:
            return 1
        chance = ADMIT
        chance = FEW
        return 1 if self.rng.uniform() < chance else 0

    def looks(self):
        return 3

    def score(self, level, dirty, word, now):
        heat = self.heat(word, now)
        worth = 0.0
        worth += RANK * level
        return worth
