"""Ids by a whole-numbered level."""

from __future__ import annotations

import numpy as np


class Buckets:
    """Ids 0, 1, 2, … by a level in ``0..levels``; of one level the id that was put there last comes first.

    Best fit in one line: ``buckets.at_least(item)`` where the level of a bin is its free space. Putting and
    taking out is O(1), a query O(levels / 1024), memory O(levels).

    Args:
        levels: The highest level.
        room: Ids there is room for at the start, ``0..room-1``. A simulator whose number of things is not
            known beforehand (open bins) makes more room before it is needed.

    Raises:
        IndexError: An id is negative or beyond the room; a level is not in ``0..levels`` (where a level to
            start a search from is asked for, any integer will do).
    """

    def __init__(self, levels: int, room: int = 64) -> None:
        if levels < 0 or room < 0:
            raise ValueError("Buckets(levels): levels must be at least 0")
        self.levels = int(levels)
        self.room = int(room)
        self.size = 0
        self.counts = np.zeros(levels + 1, dtype=np.int32)
        self.level_of = np.full(room, -1, dtype=np.int32)
        # One ring of ids a level: place `level` is its start and end, place `levels + 1 + x` is the id x.
        self.after = np.arange(levels + 1 + room, dtype=np.int32)
        self.before = np.arange(levels + 1 + room, dtype=np.int32)
        # A bit a level says whether anything is there, a bit of `words` whether 32 of those are not all 0.
        self.bits = np.zeros(levels // 32 + 1, dtype=np.int64)
        self.words = np.zeros(levels // 1024 + 1, dtype=np.int64)
        # A 1 shifted left by n, times this de Bruijn number, has a different number in bits 27..31 for each n.
        self.shifts = np.zeros(32, dtype=np.int32)
        for n in range(32):
            self.shifts[((125613361 << n) >> 27) & 31] = n

    def _grow(self, room: int) -> None:
        """Make room for the ids ``0..room-1`` (the simulator's part)."""
        if room <= self.room:
            return
        more = np.arange(self.levels + 1 + self.room, self.levels + 1 + room, dtype=np.int32)
        self.after = np.concatenate([self.after, more])
        self.before = np.concatenate([self.before, more])
        self.level_of = np.concatenate([self.level_of, np.full(len(more), -1, dtype=np.int32)])
        self.room = int(room)

    def __len__(self) -> int:
        return self.size

    def __contains__(self, x: int) -> bool:
        return self.contains(x)

    def contains(self, x: int) -> bool:
        """True if ``x`` is in; also False for what is no id, such as -1."""
        return bool(0 <= x < self.room and self.level_of[x] >= 0)

    def level(self, x: int) -> int:
        """The level of ``x``, -1 if it is not in."""
        if x < 0 or x >= self.room:
            return -1
        return int(self.level_of[x])

    def put(self, x: int, level: int) -> None:
        """Put ``x`` at a level, as its first; it leaves the level where it was, if it was in."""
        if x < 0 or x >= self.room:
            raise IndexError("Buckets.put(x, level): there is no room for this id")
        if level < 0 or level > self.levels:
            raise IndexError("Buckets.put(x, level): a level must be in 0..levels")
        self.discard(x)
        place = self.levels + 1 + x
        first = self.after[level]
        self.after[place] = first
        self.before[place] = level
        self.before[first] = place
        self.after[level] = place
        self.level_of[x] = level
        self.size += 1
        self.counts[level] += 1
        self.bits[level >> 5] |= 1 << (level & 31)
        self.words[level >> 10] |= 1 << ((level >> 5) & 31)

    def discard(self, x: int) -> bool:
        """Take ``x`` out if it is in; True if it was."""
        level = self.level(x)
        if level < 0:
            return False
        place = self.levels + 1 + x
        p = self.before[place]
        q = self.after[place]
        self.after[p] = q
        self.before[q] = p
        self.level_of[x] = -1
        self.size -= 1
        self.counts[level] -= 1
        if p == q:  # only the ring's start is left
            self.bits[level >> 5] ^= 1 << (level & 31)
            if self.bits[level >> 5] == 0:
                self.words[level >> 10] ^= 1 << ((level >> 5) & 31)
        return True

    def count(self, level: int) -> int:
        """How many ids are at a level."""
        if level < 0 or level > self.levels:
            raise IndexError("Buckets.count(level): a level must be in 0..levels")
        return int(self.counts[level])

    def first(self, level: int) -> int:
        """The id that was put at a level last, -1 if there is none."""
        if level < 0 or level > self.levels:
            raise IndexError("Buckets.first(level): a level must be in 0..levels")
        if self.counts[level] == 0:
            return -1
        return int(self.after[level]) - self.levels - 1

    def at_least(self, level: int) -> int:
        """The first id of the lowest level that is not empty, from ``level`` on upwards; -1 if there is none."""
        found = self.next_level(level)
        if found < 0:
            return -1
        return int(self.after[found]) - self.levels - 1

    def highest(self) -> int:
        """The first id of the highest level that is not empty, -1 if there is none."""
        found = self.previous_level(self.levels)
        if found < 0:
            return -1
        return int(self.after[found]) - self.levels - 1

    def next_level(self, level: int) -> int:
        """The lowest level that is not empty, from ``level`` on upwards; -1 if there is none."""
        if level > self.levels:
            return -1
        if level < 0:
            level = 0
        word = level >> 5
        bits = self.bits[word] & -(1 << (level & 31))
        if bits == 0:
            i = word >> 5
            bits = self.words[i] & -(2 << (word & 31))
            while bits == 0:
                i += 1
                if i >= self.words.size:
                    return -1
                bits = self.words[i]
            word = 32 * i + self._place(bits & -bits)
            bits = self.bits[word]
        return 32 * word + self._place(bits & -bits)

    def previous_level(self, level: int) -> int:
        """The highest level that is not empty, from ``level`` on downwards; -1 if there is none."""
        if level < 0:
            return -1
        if level > self.levels:
            level = self.levels
        word = level >> 5
        bits = self.bits[word] & ((2 << (level & 31)) - 1)
        if bits == 0:
            i = word >> 5
            bits = self.words[i] & ((1 << (word & 31)) - 1)
            while bits == 0:
                i -= 1
                if i < 0:
                    return -1
                bits = self.words[i]
            word = 32 * i + self._place(self._highest(bits))
            bits = self.bits[word]
        return 32 * word + self._place(self._highest(bits))

    def _highest(self, bits: int) -> int:
        """The highest 1 of 32 bits that are not all 0, alone."""
        for n in (1, 2, 4, 8, 16):
            bits |= bits >> n
        return bits ^ (bits >> 1)

    def _place(self, bit: int) -> int:
        """The place of the only 1 of 32 bits."""
        return int(self.shifts[((125613361 * bit) >> 27) & 31])
