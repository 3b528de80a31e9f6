"""An unordered set of ids from which one can be drawn."""

from __future__ import annotations

import numpy as np


class Bag:
    """Ids of ``0..n-1`` in no particular order, numbered ``0..size-1`` as they happen to lie.

    To draw one at random: ``bag.at(self.rng.below(len(bag)))``. Taking one out moves the last one into its
    place.

    Args:
        n: Number of ids (for a cache policy ``n_slots``).

    Raises:
        IndexError: An id is not in ``0..n-1``.
        ValueError: An id is put in twice, or one that is not in is taken out, or a number is out of range.
    """

    def __init__(self, n: int) -> None:
        if n < 0:
            raise ValueError("Bag(n): n must be at least 0")
        self.n = int(n)
        self.size = 0
        self.ids = np.zeros(n + 1, dtype=np.int32)
        self.place = np.full(n + 1, -1, dtype=np.int32)  # -1: not in

    def __len__(self) -> int:
        return self.size

    def __contains__(self, x: int) -> bool:
        return self.contains(x)

    def contains(self, x: int) -> bool:
        """True if ``x`` is in; also False for what is no id, such as -1."""
        return bool(0 <= x < self.n and self.place[x] >= 0)

    def add(self, x: int) -> None:
        """Put ``x`` in."""
        if x < 0 or x >= self.n:
            raise IndexError("Bag: an id must be in 0..n-1")
        if self.place[x] >= 0:
            raise ValueError("Bag.add(x): x is already in")
        self.ids[self.size] = x
        self.place[x] = self.size
        self.size += 1

    def remove(self, x: int) -> None:
        """Take ``x`` out."""
        if x < 0 or x >= self.n:
            raise IndexError("Bag: an id must be in 0..n-1")
        hole = self.place[x]
        if hole < 0:
            raise ValueError("Bag.remove(x): x is not in")
        self.size -= 1
        last = self.ids[self.size]
        self.ids[hole] = last
        self.place[last] = hole
        self.place[x] = -1

    def discard(self, x: int) -> bool:
        """Take ``x`` out if it is in; True if it was."""
        if not self.contains(x):
            return False
        self.remove(x)
        return True

    def at(self, i: int, skip: int = -1) -> int:
        """The ``i``-th id; the next one (after the last the first) if that is ``skip``."""
        if i < 0 or i >= self.size:
            raise ValueError("Bag.at(i): i must be in 0..size-1")
        x = int(self.ids[i])
        if x == skip:
            x = int(self.ids[(i + 1) % self.size])
        return x
