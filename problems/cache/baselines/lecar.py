import math

import numpy as np

from metamuse.policykit import Heap, List, Rng

RATE = 0.45  # tune: 0.01..1.0 log
FADE = 0.005  # tune: 0.0001..0.5 log
RETAINED = 1.0  # tune: 0..1

SEED = 1
COUNT = 2.0**32  # in a priority one request outweighs any time


class Policy:
    """LeCaR: evict by LRU or by LFU, at random by weights that learn from the victims that were missed.

    Each expert's victims are remembered in a history as long as the cache. A miss on one of them is the
    expert's fault: the other one gains, the more the shorter ago the eviction was (regret, fading to FADE
    over as many requests as there are cached objects). Vietri et al., "Driving cache replacement with
    ML-based LeCaR", HotStorage 2018. As in its authors' experiments an object that returns from a history
    keeps its count of requests; with RETAINED 0 it starts anew, as in libcachesim 0.3.5: LeCaR.
    """

    def __init__(self, capacity, n_slots):
        self.rng = Rng(SEED)
        self.recency = List(n_slots)  # last requested in front
        self.frequency = Heap(n_slots)  # rarest on top, among equals the one requested longest ago
        self.count = np.zeros(n_slots, dtype=np.int64)
        self.evicted = np.zeros(n_slots, dtype=np.int64)  # when
        self.lru_history = List(n_slots)  # newest in front
        self.lfu_history = List(n_slots)
        self.odds = 1.0  # for the choice of LRU
        self.returning = False  # the incoming object was in a history

    def on_hit(self, slot, key, size, now):
        self.recency.move_to_front(slot)
        self.touch(slot, now)

    def admit(self, slot, key, size, now):
        by_lru = slot in self.lru_history
        by_lfu = slot in self.lfu_history
        self.returning = by_lru or by_lfu
        if self.returning:
            self.on_forget(slot)
            age = (now - self.evicted[slot]) / max(len(self.recency), 1)
            regret = FADE**age
            self.odds *= math.exp(RATE * regret if by_lfu else -RATE * regret)
            self.odds = min(max(self.odds, 1.0 / 99.0), 99.0)
        return True

    def victim(self, slot, key, size, now):
        oldest = self.recency.back()
        rarest = self.frequency.top()
        if oldest == slot:  # a cached object that grew needs room
            oldest = self.recency.prev(oldest)
        if rarest == slot:
            rarest = oldest
        by_lru = self.rng.uniform() * (1.0 + self.odds) < self.odds
        victim = oldest if by_lru else rarest
        if oldest != rarest:  # what both would evict is nobody's fault
            history = self.lru_history if by_lru else self.lfu_history
            history.push_front(victim)
            if len(history) > len(self.recency):
                history.pop_back()
        return victim

    def on_evict(self, slot, key, size, now):
        self.evicted[slot] = now
        self.recency.remove(slot)
        self.frequency.remove(slot)

    def on_insert(self, slot, key, size, now, remembered):
        self.count[slot] = int(RETAINED * self.count[slot]) if self.returning else 0
        self.recency.push_front(slot)
        self.touch(slot, now)

    def on_forget(self, slot):
        self.lru_history.discard(slot)
        self.lfu_history.discard(slot)

    def touch(self, slot, now):
        self.count[slot] += 1
        self.frequency.push(slot, self.count[slot] * COUNT + now)
