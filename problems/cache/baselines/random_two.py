import numpy as np

from metamuse.policykit import Bag, Rng

SAMPLE = 2  # tune: 1..16 log

SEED = 1


class Policy:
    """Sampled LRU: of SAMPLE random objects evict the one whose last request is longest ago.

    Two choices already come close to LRU, without a list to maintain on hits; one is random replacement,
    which no loop or scan can fool completely. Psounis and Prabhakar, "A randomized web-cache replacement
    scheme", INFOCOM 2001 (with a better memory of earlier samples); as in libcachesim 0.3.5: RandomTwo.
    """

    def __init__(self, capacity, n_slots):
        self.rng = Rng(SEED)
        self.cached = Bag(n_slots)
        self.last = np.zeros(n_slots, dtype=np.int64)

    def on_hit(self, slot, key, size, now):
        self.last[slot] = now

    def victim(self, slot, key, size, now):
        oldest = self.draw(slot)
        for _ in range(SAMPLE - 1):
            other = self.draw(slot)
            if self.last[other] < self.last[oldest]:
                oldest = other
        return oldest

    def on_evict(self, slot, key, size, now):
        self.cached.remove(slot)

    def on_insert(self, slot, key, size, now, remembered):
        self.cached.add(slot)
        self.last[slot] = now

    def draw(self, slot):  # not itself, where a cached object that grew needs room
        return self.cached.at(self.rng.below(len(self.cached)), slot)
