"""A bounded last-in-first-out stack."""

from __future__ import annotations

import numpy as np


class Stack:
    """Last-in-first-out stack of any integers with room for ``n``.

    Args:
        n: Most entries it can hold.

    Raises:
        ValueError: It is full on ``push``, empty on ``pop`` or ``top``, or an index is out of range.
    """

    def __init__(self, n: int) -> None:
        if n < 0:
            raise ValueError("Stack(n): n must be at least 0")
        self.n = int(n)
        self.size = 0
        self.items = np.zeros(max(n, 1), dtype=np.int64)

    def __len__(self) -> int:
        return self.size

    def push(self, x: int) -> None:
        """Put ``x`` on top."""
        if self.size >= self.n:
            raise ValueError("Stack.push(x): the stack is full")
        self.items[self.size] = x
        self.size += 1

    def pop(self) -> int:
        """Take off and return the top entry."""
        if self.size == 0:
            raise ValueError("Stack.pop(): the stack is empty")
        self.size -= 1
        return int(self.items[self.size])

    def top(self) -> int:
        """The top entry, left in place."""
        if self.size == 0:
            raise ValueError("Stack.top(): the stack is empty")
        return int(self.items[self.size - 1])

    def at(self, i: int) -> int:
        """The i-th entry from the bottom."""
        if i < 0 or i >= self.size:
            raise ValueError("Stack.at(i): i must be in 0..size-1")
        return int(self.items[i])

    def clear(self) -> None:
        """Forget all entries."""
        self.size = 0
