"""Approximate counts in fixed memory."""

from __future__ import annotations

import numpy as np

from metamuse.policykit.hashing import hash64


class Sketch:
    """Count-min sketch of 64-bit keys: 4 rows of saturating counters, optional ageing.

    Args:
        width: Counters per row; rounded up to a power of two, at least 16. One to four times the number
            of cached objects is a good size.
        cap: Counters stop at this value.
        period: After this many ``add`` calls all counters are halved; 0 never ages.
    """

    def __init__(self, width: int, cap: int = 15, period: int = 0) -> None:
        w = 16
        while w < width:
            w *= 2
        self.mask = w - 1
        self.cap = int(cap)
        self.period = int(period)
        self.added = 0
        self.table = np.zeros(4 * w, dtype=np.int32)

    def _cell(self, key: int, row: int) -> int:
        return row * (self.mask + 1) + (hash64(key, row) & self.mask)

    def add(self, key: int) -> None:
        """Count one occurrence of ``key`` (conservative update: only the smallest counters grow)."""
        low = self.estimate(key)
        if low < self.cap:
            for row in range(4):
                i = self._cell(key, row)
                if self.table[i] == low:
                    self.table[i] += 1
        self.added += 1
        if self.period > 0 and self.added >= self.period:
            self.halve()

    def estimate(self, key: int) -> int:
        """How often ``key`` was added: never less than the truth while nothing was halved or capped."""
        low = int(self.table[self._cell(key, 0)])
        for row in range(1, 4):
            value = int(self.table[self._cell(key, row)])
            if value < low:
                low = value
        return low

    def halve(self) -> None:
        """Divide all counters by two (rounding down)."""
        for i in range(self.table.size):
            self.table[i] >>= 1
        self.added = 0
