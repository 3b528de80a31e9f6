"""Numbers by index, with the first that is large enough and the largest found in O(log n)."""

from __future__ import annotations

import numpy as np


class Tree:
    """Integers at the indices 0, 1, 2, …: a tree of maxima, every operation O(log n).

    First fit in one line: ``tree.first(item)`` where ``tree`` holds the free space of each bin.

    Args:
        room: Indices there is room for at the start, ``0..room-1``, rounded up to a power of two. A simulator
            whose number of things is not known beforehand (open bins) makes more room before it is needed.

    Raises:
        IndexError: An index is negative or beyond the room.
        ValueError: ``get`` of an index that was never set; a number is the lowest of 64 bits, -2^63.
    """

    def __init__(self, room: int = 64) -> None:
        if room < 0:
            raise ValueError("Tree(room): room must be at least 0")
        leaves = 1
        while leaves < room:
            leaves *= 2
        self.room = leaves
        self.size = 0
        # Node k has the children 2k and 2k+1; index i is the leaf room+i. The lowest int marks "not set".
        self.maxima = np.full(2 * leaves, -9223372036854775807 - 1, dtype=np.int64)

    def _grow(self, room: int) -> None:
        """Make room for the indices ``0..room-1``, rounded up to a power of two (the simulator's part)."""
        new = Tree(room)
        if new.room <= self.room:
            return
        new.maxima[new.room : new.room + self.room] = self.maxima[self.room :]
        level = new.room
        while level > 1:
            pairs = new.maxima[level : 2 * level].reshape(-1, 2)
            new.maxima[level // 2 : level] = pairs.max(axis=1)
            level //= 2
        self.room, self.maxima = new.room, new.maxima

    def __len__(self) -> int:
        return self.size

    def set(self, i: int, x: int) -> None:
        """Put ``x`` at index ``i``; ``len`` is the highest index that was ever set, plus 1."""
        if i < 0 or i >= self.room:
            raise IndexError("Tree.set(i, x): there is no room at this index")
        if x < -9223372036854775807:
            raise ValueError("Tree.set(i, x): x is too low")
        if i >= self.size:
            self.size = i + 1
        node = self.room + i
        self.maxima[node] = x
        while node > 1:
            y = int(self.maxima[node ^ 1])
            if y > x:
                x = y
            node >>= 1
            if self.maxima[node] == x:
                break
            self.maxima[node] = x

    def get(self, i: int) -> int:
        """The number at index ``i``."""
        if i < 0 or i >= self.room:
            raise IndexError("Tree.get(i): there is no room at this index")
        x = int(self.maxima[self.room + i])
        if x < -9223372036854775807:
            raise ValueError("Tree.get(i): nothing was set there")
        return x

    def first(self, x: int, start: int = 0) -> int:
        """The lowest index from ``start`` on whose number is at least ``x``, -1 if there is none."""
        if x < -9223372036854775807:
            x = -9223372036854775807
        node = 1
        if start > 0:
            if start >= self.size:
                return -1
            node = self.room + start
        while self.maxima[node] < x:
            # On to the next subtree on the right: up while this one is a right child, then its sibling.
            while node & 1:
                node >>= 1
            if node == 0:
                return -1
            node += 1
        while node < self.room:
            node *= 2
            if self.maxima[node] < x:
                node += 1
        return node - self.room

    def largest(self, skip: int = -1) -> int:
        """The index of the largest number, the lowest such index, -1 if there is none; ``skip`` is left out."""
        node = 1
        best = int(self.maxima[1])
        if 0 <= skip < self.size:
            node = 0
            best = -9223372036854775807 - 1
            place = self.room + skip
            while place > 1:
                y = int(self.maxima[place ^ 1])
                # A left sibling holds lower indices than all that was seen, so it wins a tie.
                if y > best or (y == best and place & 1):
                    best = y
                    node = place ^ 1
                place >>= 1
        if best < -9223372036854775807:
            return -1
        while node < self.room:
            node *= 2
            if self.maxima[node] < best:
                node += 1
        return node - self.room
