import numpy as np

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
        # Circular lists, last requested first; the sentinel of segment i is n_slots + i.
        self.base = n_slots
        self.after = np.arange(n_slots + SEGMENTS)
        self.before = np.arange(n_slots + SEGMENTS)

    def link(self, slot, segment):
        top = self.base + segment
        first = self.after[top]
        self.after[top] = slot
        self.before[slot] = top
        self.after[slot] = first
        self.before[first] = slot
        self.segment[slot] = segment
        self.used[segment] += self.sizes[slot]

    def unlink(self, slot):
        self.after[self.before[slot]] = self.after[slot]
        self.before[self.after[slot]] = self.before[slot]
        self.used[self.segment[slot]] -= self.sizes[slot]

    def on_hit(self, slot, key, size, now):
        segment = min(self.segment[slot] + 1, SEGMENTS - 1)
        self.unlink(slot)
        self.link(slot, segment)
        while segment > 0 and self.used[segment] > self.room:
            while self.used[segment] > self.room:
                last = self.before[self.base + segment]
                self.unlink(last)
                self.link(last, segment - 1)
            segment -= 1
        self.sank = segment == 0

    def admit(self, slot, key, size, now):
        return size <= self.room

    def victim(self, slot, key, size, now):
        for segment in range(SEGMENTS):
            last = self.before[self.base + segment]
            if last == slot:
                last = self.before[last]
            if last < self.base:
                return last
        return -1

    def shed(self, slot, key, size, now):
        # What sinks into the lowest segment after a hit may be too much there: the surplus leaves at once,
        # even if the cache has room. (A newcomer may exceed the segment: the room is capacity's remainder.)
        if self.sank and self.used[0] > self.room:
            return self.before[self.base]
        self.sank = False
        return -1

    def on_evict(self, slot, key, size, now):
        self.unlink(slot)

    def on_insert(self, slot, key, size, now, remembered):
        self.sizes[slot] = size
        lowest = 0
        while lowest < SEGMENTS and self.used[lowest] + size > self.room:
            lowest += 1
        if lowest == SEGMENTS:
            lowest = 0
        self.link(slot, lowest)
