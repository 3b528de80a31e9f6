from metamuse.policykit import List, Rng

PROMOTE = 0.5  # tune: 0.01..1.0 log

SEED = 1


class Policy:
    """Lazy LRU: a hit moves its object to the front with probability PROMOTE only.

    Fewer writes to the list, and an object needs several requests to be safe: from LRU (1) to FIFO (0). As in
    libcachesim 0.3.5: LRUProb.
    """

    def __init__(self, capacity, n_slots):
        self.rng = Rng(SEED)
        self.order = List(n_slots)

    def on_hit(self, slot, key, size, now):
        if self.rng.uniform() < PROMOTE:
            self.order.move_to_front(slot)

    def victim(self, slot, key, size, now):
        last = self.order.back()
        if last == slot:  # a cached object that grew needs room
            last = self.order.prev(last)
        return last

    def on_evict(self, slot, key, size, now):
        self.order.remove(slot)

    def on_insert(self, slot, key, size, now, remembered):
        self.order.push_front(slot)
