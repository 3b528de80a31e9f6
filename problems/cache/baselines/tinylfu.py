import numpy as np

from metamuse.policykit import List, Sketch

AGE = 10  # tune: 3..30 log
LEAD = 0  # tune: 0..3


class Policy:
    """TinyLFU: an LRU list that lets nobody in who was not requested more often than those who must go.

    A sketch of 4-bit counts of all requests, halved every AGE x capacity requests, compares the newcomer with
    the victims it needs, taken together where sizes differ. Einziger, Friedman and Manes, "TinyLFU: a highly
    efficient cache admission policy", ACM Transactions on Storage 2017; for sizes Einziger et al.,
    "Lightweight robust size aware cache management", same journal 2022 (aggregated victims).
    """

    def __init__(self, capacity, n_slots):
        self.recency = List(n_slots)  # last requested in front
        self.keys = np.zeros(n_slots, dtype=np.int64)
        self.sizes = np.zeros(n_slots, dtype=np.int64)  # with which objects were stored
        self.room = capacity  # left
        # About a third of the slots can be cached at once: three counters a row for each of them.
        self.requests = Sketch(n_slots, 15, max(AGE * (n_slots // 3), 16))

    def on_hit(self, slot, key, size, now):
        self.requests.add(key)
        self.room -= size - self.sizes[slot]
        self.sizes[slot] = size
        self.recency.move_to_front(slot)

    def admit(self, slot, key, size, now):
        self.requests.add(key)
        newcomer = self.requests.estimate(key) - LEAD
        room = self.room
        victim = self.recency.back()
        while room < size:
            newcomer -= self.requests.estimate(self.keys[victim])
            if newcomer <= 0:
                return False
            room += self.sizes[victim]
            victim = self.recency.prev(victim)
        return True

    def victim(self, slot, key, size, now):
        return self.recency.back()

    def on_evict(self, slot, key, size, now):
        self.room += self.sizes[slot]
        self.recency.remove(slot)

    def on_insert(self, slot, key, size, now, remembered):
        self.keys[slot] = key
        self.sizes[slot] = size
        self.room -= size
        self.recency.push_front(slot)
