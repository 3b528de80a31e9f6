"""A bounded first-in-first-out queue."""

from __future__ import annotations

import numpy as np


class Ring:
    """First-in-first-out queue of any integers (repeats allowed) with room for ``n``.

    Args:
        n: Most entries it can hold.

    Raises:
        ValueError: It is full on ``push``, empty on ``pop`` or ``peek``, or an index is out of range.
    """

    def __init__(self, n: int) -> None:
        if n < 0:
            raise ValueError("Ring(n): n must be at least 0")
        self.n = int(n)
        self.size = 0
        self.head = 0
        self.items = np.zeros(max(n, 1), dtype=np.int64)

    def __len__(self) -> int:
        return self.size

    def full(self) -> bool:
        """True if another ``push`` would be an error."""
        return self.size >= self.n

    def push(self, x: int) -> None:
        """Add ``x`` at the end."""
        if self.size >= self.n:
            raise ValueError("Ring.push(x): the ring is full")
        i = self.head + self.size
        if i >= self.n:
            i -= self.n
        self.items[i] = x
        self.size += 1

    def pop(self) -> int:
        """Take out and return the oldest entry."""
        if self.size == 0:
            raise ValueError("Ring.pop(): the ring is empty")
        x = int(self.items[self.head])
        self.head += 1
        if self.head >= self.n:
            self.head = 0
        self.size -= 1
        return x

    def peek(self) -> int:
        """The oldest entry, left in place."""
        if self.size == 0:
            raise ValueError("Ring.peek(): the ring is empty")
        return int(self.items[self.head])

    def at(self, i: int) -> int:
        """The i-th oldest entry (0 is the oldest)."""
        if i < 0 or i >= self.size:
            raise ValueError("Ring.at(i): i must be in 0..size-1")
        j = self.head + i
        if j >= self.n:
            j -= self.n
        return int(self.items[j])

    def clear(self) -> None:
        """Forget all entries."""
        self.size = 0
        self.head = 0
