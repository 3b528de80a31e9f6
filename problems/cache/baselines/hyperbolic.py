import numpy as np

from metamuse.policykit import Bag, Rng

SAMPLE = 64  # tune: 8..128 log
SIZE_POWER = 0.0  # tune: 0..1

SEED = 1


class Policy:
    """Hyperbolic caching: evict the object with the fewest requests for each unit of time it was cached.

    Priorities fall like 1 / age, each at its own pace, so no order can be kept: the lowest of SAMPLE random
    objects goes. With SIZE_POWER 1 an object also has to earn its size, the paper's choice where sizes
    differ. Blankstein, Sen and Freedman, "Hyperbolic caching: flexible caching for web applications",
    USENIX ATC 2017; without size as in libcachesim 0.3.5: Hyperbolic.
    """

    def __init__(self, capacity, n_slots):
        self.rng = Rng(SEED)
        self.cached = Bag(n_slots)
        self.born = np.zeros(n_slots, dtype=np.int64)
        self.weight = np.zeros(n_slots)  # of one request
        self.worth = np.zeros(n_slots)  # of all requests since insertion

    def on_hit(self, slot, key, size, now):
        self.worth[slot] += self.weight[slot]

    def victim(self, slot, key, size, now):
        worst = self.draw(slot)
        lowest = self.worth[worst] / (now - self.born[worst])
        for _ in range(SAMPLE - 1):
            other = self.draw(slot)
            priority = self.worth[other] / (now - self.born[other])
            if priority < lowest:
                worst = other
                lowest = priority
        return worst

    def on_evict(self, slot, key, size, now):
        self.cached.remove(slot)

    def on_insert(self, slot, key, size, now, remembered):
        self.cached.add(slot)
        self.born[slot] = now
        self.weight[slot] = size**-SIZE_POWER
        self.worth[slot] = self.weight[slot]

    def draw(self, slot):  # not itself, where a cached object that grew needs room
        return self.cached.at(self.rng.below(len(self.cached)), slot)
