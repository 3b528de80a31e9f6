"""Ids ordered by a changeable priority."""

from __future__ import annotations

import numpy as np


class Heap:
    """Binary heap of the ids ``0..n-1``, smallest priority first; among equals the smallest tie, then id.

    Args:
        n: Number of ids (for a cache policy ``n_slots``).

    Raises:
        IndexError: An id is not in ``0..n-1``.
        ValueError: The heap is empty on ``pop`` or ``top``, or an id that is not in it is removed or
            asked for, or a priority is not a number.
    """

    def __init__(self, n: int) -> None:
        if n < 0:
            raise ValueError("Heap(n): n must be at least 0")
        self.n = int(n)
        self.size = 0
        self.order = np.zeros(max(n, 1), dtype=np.int32)
        self.place = np.full(max(n, 1), -1, dtype=np.int32)
        self.key = np.zeros(max(n, 1), dtype=np.float64)
        self.ties = np.zeros(max(n, 1), dtype=np.int64)

    def __len__(self) -> int:
        return self.size

    def __contains__(self, x: int) -> bool:
        return self.contains(x)

    def contains(self, x: int) -> bool:
        """True if ``x`` is in the heap; also False for what is no id, such as -1."""
        return bool(0 <= x < self.n and self.place[x] >= 0)

    def _check(self, x: int) -> None:
        # Without it a negative id would count from the end, as indices do.
        if x < 0 or x >= self.n:
            raise IndexError("Heap: an id must be in 0..n-1")

    def priority(self, x: int) -> float:
        """The priority of ``x``, which is in the heap."""
        self._check(x)
        if self.place[x] < 0:
            raise ValueError("Heap.priority(x): x is not in the heap")
        return float(self.key[x])

    def push(self, x: int, priority: float, tie: int = 0) -> None:
        """Put ``x`` in, or change its priority if it is in already; equal priorities go by ``tie``, as by time."""
        self._check(x)
        if priority != priority:
            raise ValueError("Heap.push(x, priority): the priority is not a number")
        i = int(self.place[x])
        if i < 0:
            i = self.size
            self.size += 1
            self.order[i] = x
            self.place[x] = i
        self.key[x] = priority
        self.ties[x] = tie
        self._up(i)
        self._down(int(self.place[x]))

    def top(self) -> int:
        """The id with the smallest priority, left in place."""
        if self.size == 0:
            raise ValueError("Heap.top(): the heap is empty")
        return int(self.order[0])

    def pop(self) -> int:
        """Take out and return the id with the smallest priority."""
        if self.size == 0:
            raise ValueError("Heap.pop(): the heap is empty")
        x = int(self.order[0])
        self.remove(x)
        return x

    def remove(self, x: int) -> None:
        """Take ``x`` out."""
        self._check(x)
        i = int(self.place[x])
        if i < 0:
            raise ValueError("Heap.remove(x): x is not in the heap")
        self.size -= 1
        last = int(self.order[self.size])
        self.place[x] = -1
        if last != x:
            self.order[i] = last
            self.place[last] = i
            self._up(i)
            self._down(int(self.place[last]))

    def discard(self, x: int) -> bool:
        """Take ``x`` out if it is in; True if it was."""
        if not self.contains(x):
            return False
        self.remove(x)
        return True

    def _less(self, a: int, b: int) -> bool:
        ka = self.key[a]
        kb = self.key[b]
        if ka != kb:
            return bool(ka < kb)
        ta = self.ties[a]
        tb = self.ties[b]
        return bool(ta < tb or (ta == tb and a < b))

    def _up(self, start: int) -> None:
        i = start
        x = int(self.order[i])
        while i > 0:
            j = (i - 1) // 2
            y = int(self.order[j])
            if not self._less(x, y):
                break
            self.order[i] = y
            self.place[y] = i
            i = j
        self.order[i] = x
        self.place[x] = i

    def _down(self, start: int) -> None:
        i = start
        x = int(self.order[i])
        while True:
            j = 2 * i + 1
            if j >= self.size:
                break
            y = int(self.order[j])
            if j + 1 < self.size:
                z = int(self.order[j + 1])
                if self._less(z, y):
                    j += 1
                    y = z
            if not self._less(y, x):
                break
            self.order[i] = y
            self.place[y] = i
            i = j
        self.order[i] = x
        self.place[x] = i
