import math

import numpy as np

from metamuse.policykit import Bag, Rng

SAMPLE = 32  # tune: 8..128 log
INTERVAL = 4.0  # tune: 0.5..64 log
DECAY = 0.9  # tune: 0.5..0.999

SEED = 1
CLASSES = 8
STEPS = 2  # age bins an octave
BINS = 80


class Policy:
    """LHD: evict the object with the lowest hit density: expected hits for each unit of space and time.

    How likely an object of some age is to be hit, and how long it would stay, is learned from the ages at
    which objects were hit or evicted lately, for classes of objects by the ages at their last two hits. The
    counts decay and the densities are computed anew every INTERVAL x cached objects requests. Ages, in
    requests since the last one, fall into bins of half an octave: the paper has bins of equal width, and has
    to choose that. Beckmann, Chen and Cidon, "LHD: improving cache hit rate by maximizing hit density", NSDI
    2018.
    """

    def __init__(self, capacity, n_slots):
        self.rng = Rng(SEED)
        self.cached = Bag(n_slots)
        self.last = np.zeros(n_slots, dtype=np.int64)  # time of the last request
        self.hit_age = np.zeros(n_slots, dtype=np.int64)  # at the last hit
        self.kind = np.zeros(n_slots, dtype=np.int8)  # class: 0 if never hit
        self.sizes = np.zeros(n_slots, dtype=np.int64)  # with which objects were stored
        self.hits = np.zeros((CLASSES, BINS))
        self.ends = np.zeros((CLASSES, BINS))  # hits and evictions
        self.density = np.zeros((CLASSES, BINS))
        for kind in range(CLASSES):  # to begin with, the older the worse
            for bin in range(BINS):
                self.density[kind, bin] = (1.0 + (kind > 0)) * 2.0 ** (-bin / STEPS)
        self.due = 0  # when the densities are computed anew

    def on_hit(self, slot, key, size, now):
        bin = self.bin(slot, now)
        self.hits[self.kind[slot], bin] += 1.0
        self.ends[self.kind[slot], bin] += 1.0
        age = now - self.last[slot]
        self.kind[slot] = min(1 + int(math.log2(age + self.hit_age[slot])) // 3, CLASSES - 1)
        self.hit_age[slot] = age
        self.last[slot] = now

    def victim(self, slot, key, size, now):
        if now >= self.due:
            self.learn()
            self.due = now + int(INTERVAL * len(self.cached))
        worst = self.draw(slot)
        lowest = self.value(worst, now)
        for _ in range(SAMPLE - 1):
            other = self.draw(slot)
            value = self.value(other, now)
            if value < lowest:
                worst = other
                lowest = value
        return worst

    def on_evict(self, slot, key, size, now):
        self.ends[self.kind[slot], self.bin(slot, now)] += 1.0
        self.cached.remove(slot)

    def on_insert(self, slot, key, size, now, remembered):
        self.cached.add(slot)
        self.last[slot] = now
        self.kind[slot] = 0
        self.hit_age[slot] = 0
        self.sizes[slot] = size

    def draw(self, slot):  # not itself, where a cached object that grew needs room
        return self.cached.at(self.rng.below(len(self.cached)), slot)

    def bin(self, slot, now):
        return min(int(STEPS * math.log2(max(now - self.last[slot], 1))), BINS - 1)

    def value(self, slot, now):
        return self.density[self.kind[slot], self.bin(slot, now)] / self.sizes[slot]

    def learn(self):
        for kind in range(CLASSES):
            hits = 0.0
            ends = 0.0
            time = 0.0
            for bin in range(BINS - 1, -1, -1):
                hits += self.hits[kind, bin]
                ends += self.ends[kind, bin]
                time += ends * 2.0 ** (bin / STEPS)
                if ends > 0.0:
                    self.density[kind, bin] = hits / time
                self.hits[kind, bin] *= DECAY
                self.ends[kind, bin] *= DECAY
