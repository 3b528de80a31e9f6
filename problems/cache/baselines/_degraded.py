import numpy as np


class Policy:
    """Bad on purpose, to show that the metric notices: evicts what came in last, and never notices a hit."""

    def __init__(self, capacity, n_slots):
        self.newest = -1
        self.older = np.full(n_slots, -1)

    def victim(self, slot, key, size, now):
        return self.newest

    def on_evict(self, slot, key, size, now):
        self.newest = self.older[slot]

    def on_insert(self, slot, key, size, now, remembered):
        self.older[slot] = self.newest
        self.newest = slot
