import math

import numpy as np

from metamuse.policykit import List, Rng

INTERVAL = 2.0  # tune: 0.5..64 log
MEMORY = 0.5  # tune: 0.05..0.95
FIRST = 0.9  # tune: 0..0.99

SEED = 1
SIZES = 80  # classes of objects: two an octave of sizes, one an octave of requests
COUNTS = 20


class Policy:
    """AdaptSize: LRU that stores a missed object with probability exp(-size / c); c is tuned to the load.

    Every INTERVAL x cached objects requests (1000 at least) a Markov model of LRU with such a filter gives
    the hit ratio for c in powers of two, from the sizes and recent request rates of the objects known, and
    the best c is taken. Unlike in the paper, FIRST of an object's requests do not count for its rate: most
    objects seen once never return, and the model would fill the cache with small ones. Objects of the
    smallest size so far are always stored, so with equal sizes this is LRU. Berger, Sitaraman and
    Harchol-Balter, "AdaptSize: orchestrating the hot object memory cache in a content delivery network",
    NSDI 2017.
    """

    def __init__(self, capacity, n_slots):
        self.rng = Rng(SEED)
        self.recency = List(n_slots)  # last requested in front
        self.capacity = capacity
        self.n_slots = n_slots
        self.c = 64.0 * capacity
        self.smallest = capacity
        self.sizes = np.zeros(n_slots, dtype=np.int64)
        self.count = np.zeros(n_slots)  # requests, fading; 0: no object
        self.span = 0.0  # requests of all, fading
        self.began = 0
        self.objects = np.zeros(SIZES * COUNTS)
        self.bytes = np.zeros(SIZES * COUNTS)
        self.requests = np.zeros(SIZES * COUNTS)
        self.admitted = np.zeros(SIZES * COUNTS)  # probability

    def on_hit(self, slot, key, size, now):
        self.recency.move_to_front(slot)
        self.note(slot, size)

    def admit(self, slot, key, size, now):
        self.note(slot, size)
        if now - self.began >= max(1000.0, INTERVAL * len(self.recency)):
            self.span += now - self.began
            self.began = now
            self.tune()
        return size <= self.smallest or self.rng.uniform() < math.exp(-size / self.c)

    def victim(self, slot, key, size, now):
        return self.recency.back()

    def on_evict(self, slot, key, size, now):
        self.recency.remove(slot)

    def on_insert(self, slot, key, size, now, remembered):
        self.recency.push_front(slot)

    def on_forget(self, slot):
        self.count[slot] = 0.0

    def note(self, slot, size):
        self.count[slot] += 1.0
        self.sizes[slot] = size
        self.smallest = min(self.smallest, size)

    def tune(self):
        self.objects[:] = 0.0
        self.bytes[:] = 0.0
        self.requests[:] = 0.0
        for slot in range(self.n_slots):
            if self.count[slot] > 0.0:
                large = min(int(2.0 * math.log2(self.sizes[slot])), SIZES - 1)
                often = min(int(math.log2(max(self.count[slot], 1.0))), COUNTS - 1)
                i = large * COUNTS + often
                self.objects[i] += 1.0
                self.bytes[i] += self.sizes[slot]
                self.requests[i] += max(self.count[slot] - FIRST, 0.01)
                self.count[slot] *= MEMORY
        classes = 0  # those that have objects move to the front
        for i in range(SIZES * COUNTS):
            if self.objects[i] > 0.0:
                self.objects[classes] = self.objects[i]
                self.bytes[classes] = self.bytes[i]
                self.requests[classes] = self.requests[i]
                classes += 1
        best = -1.0
        c = 64.0 * self.capacity
        while c >= self.smallest:
            hits = self.hits(c, classes)
            if hits > best:
                best = hits
                self.c = c
            c *= 0.5
        self.span *= MEMORY

    def hits(self, c, classes):
        for i in range(classes):
            self.admitted[i] = math.exp(-self.bytes[i] / self.objects[i] / c)
        # The time that an object stays without a request: so long that those cached just fit.
        low = 0.0
        high = math.log2(self.span) + 6.0
        for _ in range(20):
            middle = (low + high) / 2.0
            used = 0.0
            for i in range(classes):
                used += self.bytes[i] * self.cached(i, 2.0**middle)
            if used > self.capacity:
                high = middle
            else:
                low = middle
        total = 0.0
        for i in range(classes):
            total += self.requests[i] * self.cached(i, 2.0**low)
        return total

    def cached(self, i, time):
        # Requests come at random: P(next one within `time`) = 1 - exp(-rate x time).
        rate = self.requests[i] / self.objects[i] / self.span
        weight = self.admitted[i] * (math.exp(min(rate * time, 50.0)) - 1.0)
        return weight / (1.0 + weight)
