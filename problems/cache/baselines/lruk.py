import numpy as np

from metamuse.policykit import Heap

K = 2  # tune: 2..4

FEWER = 1e15  # ranks objects with fewer than K requests below all others


class Policy:
    """LRU-K: evict the object whose K-th last request is longest ago; those with fewer than K requests first.

    So one request is no proof of worth, which keeps scans out. O'Neil, O'Neil and Weikum, "The LRU-K page
    replacement algorithm for database disk buffering", SIGMOD 1993; as in libcachesim 0.3.5: LRUK, which,
    unlike the paper, forgets an object's requests at its eviction and has no correlated reference period.
    """

    def __init__(self, capacity, n_slots):
        self.order = Heap(n_slots)
        self.times = np.zeros((n_slots, K), dtype=np.int64)  # the last K requests, in turn
        self.count = np.zeros(n_slots, dtype=np.int64)

    def note(self, slot, now):
        self.times[slot, self.count[slot] % K] = now
        self.count[slot] += 1
        if self.count[slot] < K:
            self.order.push(slot, self.times[slot, 0] - FEWER)
        else:
            self.order.push(slot, float(self.times[slot, self.count[slot] % K]))

    def on_hit(self, slot, key, size, now):
        self.note(slot, now)

    def victim(self, slot, key, size, now):
        loser = self.order.top()
        if loser == slot:  # a cached object that grew needs room
            rank = self.order.priority(slot)
            self.order.remove(slot)
            loser = self.order.top()
            self.order.push(slot, rank)
        return loser

    def on_evict(self, slot, key, size, now):
        self.order.remove(slot)

    def on_insert(self, slot, key, size, now, remembered):
        self.count[slot] = 0
        self.note(slot, now)
