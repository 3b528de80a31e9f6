"""binpacking policy s0296-tuned, Future Outlook Levels (tuned).

Written by MetaMuse; decides as the policy did in the simulator."""

from __future__ import annotations

import math


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
        self.counts = [0] * (levels + 1)
        self.level_of = [-1] * room
        # One ring of ids a level: place `level` is its start and end, place `levels + 1 + x` is the id x.
        self.after = list(range(levels + 1 + room))
        self.before = list(range(levels + 1 + room))
        # A bit a level says whether anything is there, a bit of `words` whether 32 of those are not all 0.
        self.bits = [0] * (levels // 32 + 1)
        self.words = [0] * (levels // 1024 + 1)
        # A 1 shifted left by n, times this de Bruijn number, has a different number in bits 27..31 for each n.
        self.shifts = [0] * 32
        for n in range(32):
            self.shifts[((125613361 << n) >> 27) & 31] = n

    def __len__(self) -> int:
        return self.size

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
                if i >= len(self.words):
                    return -1
                bits = self.words[i]
            word = 32 * i + self._place(bits & -bits)
            bits = self.bits[word]
        return 32 * word + self._place(bits & -bits)

    def _place(self, bit: int) -> int:
        """The place of the only 1 of 32 bits."""
        return int(self.shifts[((125613361 * bit) >> 27) & 31])

    def _grow(self, room: int) -> None:
        """Make room for the ids ``0..room-1``."""
        places = range(self.levels + 1 + self.room, self.levels + 1 + room)
        self.after.extend(places)
        self.before.extend(places)
        self.level_of.extend([-1] * len(places))
        self.room = max(self.room, room)


RIPE = 331  # tune: 30..5000 log
PATIENCE = 77.66  # tune: 8.0..80.0 log
CROWD = 0.01832  # tune: 0.001..0.1 log
TARGET = 0.6829  # tune: 0.03..1.0 log
FIRM = 0.002068  # tune: 0.002..0.05 log


class Policy:
    """Future Outlook Levels: Like a player each placement is judged by the best replies within a short
    while: the expected waste after it against that before. The care for a balanced stock of bins
    ripens over a long while; at first only tight fits count."""

    def __init__(self, capacity):
        self.capacity = capacity
        self.bins = Buckets(capacity)
        self.items = 0
        self.order = [0] * (capacity + 1)
        self.missed = [1.0] * (capacity + 1)
        self.seen = [0.0] * (capacity + 1)
        self.total = 0.0
        self.due = 16
        self.waste = [0.0] * (capacity + 1)
        self.waiting = 0
        self.best = -1
        self.least = 0.0

    def choose(self, item, remaining, n_open):
        self.best = -1
        self.least = 1e18
        free = self.bins.next_level(item)
        while free >= 0:
            self.offer(item, free, self.bins.first(free))
            free = self.bins.next_level(free + 1)
        if self.best >= 0:
            if self.cost(item, self.capacity, n_open) + FIRM * (self.waiting / (1.0 + TARGET * math.pow(self.items, 0.5)) - 1.0) < self.least:
                return -1
        return self.best

    def offer(self, item, free, bin):
        value = self.cost(item, free, bin)
        if value < self.least:
            self.least = value
            self.best = bin

    def cost(self, item, free, bin):
        left = free - item
        value = 0.0
        value += self.waste[left]
        if free < self.capacity:
            value -= self.waste[free]
        crowd = 0.0
        if left > 0:
            crowd += CROWD * self.future(left) * (2 * self.bins.count(left) + 1)
        if free < self.capacity:
            crowd -= CROWD * self.future(free) * (2 * self.bins.count(free) - 1)
        return value + self.items / float(self.items + RIPE) * crowd

    def on_packed(self, item, bin, opened):
        free = self.capacity if opened else self.bins.level(bin)
        self.bins.put(bin, free - item)
        self.items += 1
        roomy = free - item > self.capacity // 8
        if roomy and opened:
            self.waiting += 1
        elif not roomy and not opened and free > self.capacity // 8:
            self.waiting -= 1
        self.seen[item] += 1.0
        self.total += 1.0
        if self.items >= self.due:
            self.due = self.items + max(8, min(1000, self.items // 4))
            self.study()

    def study(self):
        for size in range(1, self.capacity + 1):
            self.missed[size] = math.exp(-PATIENCE * self.seen[size] / self.total)
        for gap in range(1, self.capacity + 1):
            chance = 1.0
            expected = 0.0
            for i in range(gap):
                level = self.order[i]
                rest = chance * self.missed[gap - level]
                expected += (chance - rest) * self.waste[level]
                chance = rest
                if chance < 0.001:
                    break
            expected += chance * gap / self.capacity
            self.waste[gap] = expected
            i = gap
            while i > 1 and self.waste[self.order[i - 1]] > expected:
                self.order[i] = self.order[i - 1]
                i -= 1
            self.order[i] = gap

    def future(self, free):
        return 1.0 - self.waste[free] * self.capacity / free
