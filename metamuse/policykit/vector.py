"""A row of integers that grows."""

from __future__ import annotations

import numpy as np


class Vector:
    """Integers at the indices 0, 1, 2, …, each ``fill`` until it is set.

    Args:
        fill: What an index holds that was never set.
        room: Indices there is room for at the start, ``0..room-1``. A simulator whose number of things is not
            known beforehand (open bins) makes more room before it is needed.

    Raises:
        IndexError: An index is negative or beyond the room.
    """

    def __init__(self, fill: int = 0, room: int = 64) -> None:
        if room < 0:
            raise ValueError("Vector(fill, room): room must be at least 0")
        self.fill = int(fill)
        self.size = 0
        self.items = np.full(max(int(room), 1), fill, dtype=np.int64)

    def _grow(self, room: int) -> None:
        """Make room for the indices ``0..room-1`` (the simulator's part)."""
        more = np.full(max(0, room - len(self.items)), self.fill, dtype=np.int64)
        self.items = np.concatenate([self.items, more])

    def __len__(self) -> int:
        return self.size

    def get(self, i: int) -> int:
        """The number at index ``i``."""
        if i < 0 or i >= self.items.size:
            raise IndexError("Vector.get(i): there is no room at this index")
        return int(self.items[i])

    def set(self, i: int, x: int) -> None:
        """Put ``x`` at index ``i``; ``len`` is the highest index that was ever set, plus 1."""
        if i < 0 or i >= self.items.size:
            raise IndexError("Vector.set(i, x): there is no room at this index")
        if i >= self.size:
            self.size = i + 1
        self.items[i] = x
