import numpy as np

from metamuse.policykit import List

SEGMENTS = 4  # tune: 2..8


class Policy:
    """SLRU: LRU lists on top of each other; each hit lifts an object by one, the overflow sinks by one.

    So an object must be requested several times to be safe from a scan. Karedla, Love and Wherry, "Caching
    strategies to improve disk system performance", Computer 1994 (with two segments); as in libcachesim
    0.3.5: SLRU.
    """

    def __init__(self, capacity, n_slots):
        self.room = max(1, capacity // SEGMENTS)  # of each segment
        self.used = np.zeros(SEGMENTS, dtype=np.int64)
        self.segment = np.zeros(n_slots, dtype=np.int8)
        self.sank = False  # the last hit made an object sink into the lowest segment
        self.sizes = np.zeros(n_slots, dtype=np.int64)  # with which objects were stored
        # One list holds all segments, lowest first, least recent first; the entry `end + i` closes segment i.
        self.order = List(n_slots + SEGMENTS)
        self.end = n_slots
        for segment in range(SEGMENTS):
            self.order.push_back(self.end + segment)

    def enter(self, slot, segment):
        self.order.insert_before(slot, self.end + segment)
        self.segment[slot] = segment
        self.used[segment] += self.sizes[slot]

    def leave(self, slot):
        self.order.remove(slot)
        self.used[self.segment[slot]] -= self.sizes[slot]

    def on_hit(self, slot, key, size, now):
        segment = min(self.segment[slot] + 1, SEGMENTS - 1)
        self.leave(slot)
        self.enter(slot, segment)
        while segment > 0 and self.used[segment] > self.room:
            while self.used[segment] > self.room:
                last = self.order.next(self.end + segment - 1)
                self.leave(last)
                self.enter(last, segment - 1)
            segment -= 1
        self.sank = segment == 0

    def admit(self, slot, key, size, now):
        return size <= self.room

    def victim(self, slot, key, size, now):
        loser = self.order.front()
        while loser >= self.end or loser == slot:
            loser = self.order.next(loser)
        return loser

    def shed(self, slot, key, size, now):
        # What sinks into the lowest segment after a hit may be too much there: the surplus leaves at once,
        # even if the cache has room. (A newcomer may exceed the segment: the room is capacity's remainder.)
        if self.sank and self.used[0] > self.room:
            return self.order.front()
        self.sank = False
        return -1

    def on_evict(self, slot, key, size, now):
        self.leave(slot)

    def on_insert(self, slot, key, size, now, remembered):
        self.sizes[slot] = size
        lowest = 0
        while lowest < SEGMENTS and self.used[lowest] + size > self.room:
            lowest += 1
        if lowest == SEGMENTS:
            lowest = 0
        self.enter(slot, lowest)
