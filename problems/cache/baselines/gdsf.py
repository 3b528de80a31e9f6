import numpy as np

from metamuse.policykit import Heap, Ring

WEIGHT = 1e6


class Policy:
    """GDSF: evict the lowest of age + requests / size, where the age is the rank of the last victim.

    So small and popular objects stay, and the age carries off what is no longer requested. A newcomer is
    ranked with the others and may itself be the lowest; then it is not stored, though others may have gone
    before it. Cherkasova, "Improving WWW proxies performance with Greedy-Dual-Size-Frequency caching policy",
    HP Laboratories 1998; as in libcachesim 0.3.5: GDSF.
    """

    def __init__(self, capacity, n_slots):
        self.capacity = capacity
        self.order = Heap(n_slots)
        self.count = np.zeros(n_slots, dtype=np.int64)  # requests since an object was stored
        self.sizes = np.zeros(n_slots, dtype=np.int64)
        self.used = 0
        self.age = 0.0
        self.rank = 0.0  # of the newcomer
        self.losers = Ring(n_slots)  # lower than the newcomer, in order

    def on_hit(self, slot, key, size, now):
        self.used += size - self.sizes[slot]
        self.sizes[slot] = size
        self.count[slot] += 1
        self.order.push(slot, self.age + self.count[slot] * WEIGHT / size, now)

    def admit(self, slot, key, size, now):
        self.rank = self.age + WEIGHT / size
        missing = self.used + size - self.capacity
        while missing > 0 and len(self.order) > 0:
            lowest = self.order.priority(self.order.top())
            if lowest > self.rank:
                break
            missing -= self.lose(lowest)
        if missing > 0:
            self.age = self.rank
        return missing <= 0

    def lose(self, rank):
        loser = self.order.pop()
        self.losers.push(loser)
        self.age = rank
        return self.sizes[loser]

    def victim(self, slot, key, size, now):
        if len(self.losers) == 0:  # a cached object that grew needs room
            own = self.order.priority(slot)
            self.order.remove(slot)
            self.lose(self.order.priority(self.order.top()))
            self.order.push(slot, own, now)
        return self.losers.pop()

    def shed(self, slot, key, size, now):
        if len(self.losers) > 0:  # the newcomer was refused after them
            return self.losers.pop()
        return -1

    def on_evict(self, slot, key, size, now):
        self.order.discard(slot)
        self.used -= self.sizes[slot]

    def on_insert(self, slot, key, size, now, remembered):
        self.sizes[slot] = size
        self.used += size
        self.count[slot] = 1
        self.order.push(slot, self.rank, now)
