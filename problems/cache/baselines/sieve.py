import numpy as np

from metamuse.policykit import List


class Policy:
    """SIEVE: a hand sweeps a FIFO queue from old to new and evicts the first object not hit since it passed.

    Unlike Clock an object that is spared keeps its place, so new objects are tested soon and the proven ones
    gather behind the hand. Zhang et al., "SIEVE is simpler than LRU", NSDI 2024; as in libcachesim 0.3.5:
    Sieve.
    """

    def __init__(self, capacity, n_slots):
        self.queue = List(n_slots)  # newest in front
        self.visited = np.zeros(n_slots, dtype=np.bool_)
        self.hand = -1  # -1: the next sweep starts at the oldest

    def on_hit(self, slot, key, size, now):
        self.visited[slot] = True

    def victim(self, slot, key, size, now):
        at = self.hand
        if at < 0:
            at = self.queue.back()
        while self.visited[at] or at == slot:
            self.visited[at] = False
            at = self.queue.prev(at)
            if at < 0:
                at = self.queue.back()
        self.hand = at
        return at

    def on_evict(self, slot, key, size, now):
        if slot == self.hand:
            self.hand = self.queue.prev(slot)
        self.queue.remove(slot)

    def on_insert(self, slot, key, size, now, remembered):
        self.visited[slot] = False
        self.queue.push_front(slot)
