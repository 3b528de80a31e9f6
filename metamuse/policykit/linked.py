"""An ordered list of ids with O(1) everything."""

from __future__ import annotations

import numpy as np


class List:
    """Doubly linked list over the ids ``0..n-1``; an id is in it at most once.

    Every operation is O(1), also ``x in lst`` and ``remove``. "Front" and "back" are only names: LRU
    usually pushes to the front and evicts from the back.

    Args:
        n: Number of ids (for a cache policy ``n_slots``).

    Raises:
        IndexError: An id is not in ``0..n-1``.
        ValueError: An id is pushed twice, or one that is not in the list is removed or moved, or an end of
            an empty list is popped.
    """

    def __init__(self, n: int) -> None:
        if n < 0:
            raise ValueError("List(n): n must be at least 0")
        self.n = int(n)
        self.size = 0
        # Index n is the sentinel: after[n] is the front, before[n] the back; -1 marks "not in the list".
        self.after = np.full(n + 1, -1, dtype=np.int32)
        self.before = np.full(n + 1, -1, dtype=np.int32)
        self.after[n] = n
        self.before[n] = n

    def __len__(self) -> int:
        return self.size

    def __contains__(self, x: int) -> bool:
        return self.contains(x)

    def contains(self, x: int) -> bool:
        """True if ``x`` is in the list; also False for what is no id, such as -1."""
        return bool(0 <= x < self.n and self.after[x] >= 0)

    def _check(self, x: int) -> None:
        # Without it a negative id would count from the end, as indices do, and n is the sentinel.
        if x < 0 or x >= self.n:
            raise IndexError("List: an id must be in 0..n-1")

    def push_front(self, x: int) -> None:
        """Put ``x`` at the front."""
        self._check(x)
        if self.after[x] >= 0:
            raise ValueError("List.push_front(x): x is already in the list")
        n = self.n
        first = self.after[n]
        self.after[x] = first
        self.before[x] = n
        self.before[first] = x
        self.after[n] = x
        self.size += 1

    def push_back(self, x: int) -> None:
        """Put ``x`` at the back."""
        self._check(x)
        if self.after[x] >= 0:
            raise ValueError("List.push_back(x): x is already in the list")
        n = self.n
        last = self.before[n]
        self.before[x] = last
        self.after[x] = n
        self.after[last] = x
        self.before[n] = x
        self.size += 1

    def insert_before(self, x: int, y: int) -> None:
        """Put ``x`` next to ``y``, on its front side."""
        self._check(x)
        self._check(y)
        if self.after[x] >= 0:
            raise ValueError("List.insert_before(x, y): x is already in the list")
        if self.after[y] < 0:
            raise ValueError("List.insert_before(x, y): y is not in the list")
        p = self.before[y]
        self.before[x] = p
        self.after[x] = y
        self.after[p] = x
        self.before[y] = x
        self.size += 1

    def remove(self, x: int) -> None:
        """Take ``x`` out."""
        self._check(x)
        q = self.after[x]
        if q < 0:
            raise ValueError("List.remove(x): x is not in the list")
        p = self.before[x]
        self.after[p] = q
        self.before[q] = p
        self.after[x] = -1
        self.before[x] = -1
        self.size -= 1

    def discard(self, x: int) -> bool:
        """Take ``x`` out if it is in; True if it was."""
        if not self.contains(x):
            return False
        self.remove(x)
        return True

    def move_to_front(self, x: int) -> None:
        """Move ``x``, which is in the list, to the front."""
        self._check(x)
        q = self.after[x]
        n = self.n
        if q < 0:
            raise ValueError("List.move_to_front(x): x is not in the list")
        p = self.before[x]
        if p != n:
            self.after[p] = q
            self.before[q] = p
            first = self.after[n]
            self.after[x] = first
            self.before[x] = n
            self.before[first] = x
            self.after[n] = x

    def move_to_back(self, x: int) -> None:
        """Move ``x``, which is in the list, to the back."""
        self._check(x)
        p = self.before[x]
        n = self.n
        if p < 0:
            raise ValueError("List.move_to_back(x): x is not in the list")
        q = self.after[x]
        if q != n:
            self.after[p] = q
            self.before[q] = p
            last = self.before[n]
            self.before[x] = last
            self.after[x] = n
            self.after[last] = x
            self.before[n] = x

    def front(self) -> int:
        """The id at the front, -1 if the list is empty."""
        x = int(self.after[self.n])
        if x == self.n:
            return -1
        return x

    def back(self) -> int:
        """The id at the back, -1 if the list is empty."""
        x = int(self.before[self.n])
        if x == self.n:
            return -1
        return x

    def pop_front(self) -> int:
        """Take out and return the id at the front."""
        x = int(self.after[self.n])
        if x == self.n:
            raise ValueError("List.pop_front(): the list is empty")
        self.remove(x)
        return x

    def pop_back(self) -> int:
        """Take out and return the id at the back."""
        x = int(self.before[self.n])
        if x == self.n:
            raise ValueError("List.pop_back(): the list is empty")
        self.remove(x)
        return x

    def next(self, x: int) -> int:
        """The id after ``x`` towards the back, -1 at the end."""
        self._check(x)
        y = int(self.after[x])
        if y < 0:
            raise ValueError("List.next(x): x is not in the list")
        if y == self.n:
            return -1
        return y

    def prev(self, x: int) -> int:
        """The id before ``x`` towards the front, -1 at the end."""
        self._check(x)
        y = int(self.before[x])
        if y < 0:
            raise ValueError("List.prev(x): x is not in the list")
        if y == self.n:
            return -1
        return y
