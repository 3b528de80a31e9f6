"""DEX: inner nodes are cached, leaves by a coin, misses offloaded by cost (PVLDB 17(10), sections 5.4 and 6; its code)."""

import numpy as np

from metamuse.policykit import Rng

ADMIT = 0.1  # tune: 0.001..1.0 log
WEIGHT = 1.2  # tune: 0.5..3.0 log
EXPLORE = 0.01  # tune: 0.001..0.1 log
WINDOW = 50


class Policy:
    """Mean latencies of the last 50 timed fetches and calls decide; one decision in a hundred is the other way."""

    def __init__(self, thread, threads, cpus, height):
        self.rng = Rng(thread)
        self.times = np.zeros((2, WINDOW))
        self.sums = np.zeros(2)
        self.counts = np.zeros(2, dtype=np.int64)
        self.timed = False

    def on_miss(self, level, op, word, full, may_offload, seen):
        self.timed = False
        if level == 0:
            if op < 3 and not full:
                return 1
            return 1 if self.rng.uniform() < ADMIT else 0
        if not may_offload or not full:
            return 1
        if self.counts[0] < WINDOW:
            self.timed = True
            return 1
        if self.counts[1] < WINDOW:
            self.timed = True
            return 2
        call = self.sums[1] / WINDOW < (level + 1) * (self.sums[0] / WINDOW + 0.04) * WEIGHT
        draw = self.rng.uniform()
        if draw < EXPLORE:
            call = not call
            self.timed = True
        elif draw < EXPLORE + 0.01:
            self.timed = True
        return 2 if call else 1

    def on_done(self, level, action, us):
        if self.timed and level > 0:
            kind = 1 if action == 2 else 0
            place = self.counts[kind] % WINDOW
            self.sums[kind] += us - self.times[kind, place]
            self.times[kind, place] = us
            self.counts[kind] += 1
