from metamuse.policykit import Heap


class Policy:
    """LFUDA: LFU with dynamic ageing; what was popular once gives way when the cache's age catches up with it.

    The age is the least rank in the cache; a newcomer starts one above it and each hit adds the age to an
    object's rank. The lowest rank is evicted, among equals the least recent. Arlitt et al., "Evaluating
    content management techniques for web proxy caches", Performance Evaluation Review 2000, where a hit sets
    the rank to age plus count; as in libcachesim 0.3.5: LFUDA, whose ranks double with every turnover, so
    that it does not end at small capacities. Here they are floats; past their range what is left is LRU.
    """

    def __init__(self, capacity, n_slots):
        self.order = Heap(n_slots)
        self.age = 0.0
        self.ageing = False  # something was evicted

    def grow_older(self):
        if self.ageing and len(self.order) > 0:
            self.age = self.order.priority(self.order.top())

    def on_hit(self, slot, key, size, now):
        self.grow_older()
        self.order.push(slot, self.order.priority(slot) + self.age, now)

    def victim(self, slot, key, size, now):
        lowest = self.order.top()
        if lowest == slot:  # a cached object that grew needs room
            rank = self.order.priority(slot)
            self.order.remove(slot)
            lowest = self.order.top()
            self.order.push(slot, rank, now)
        return lowest

    def on_evict(self, slot, key, size, now):
        self.age = self.order.priority(slot)
        self.order.remove(slot)
        self.ageing = True

    def on_insert(self, slot, key, size, now, remembered):
        self.grow_older()
        self.order.push(slot, self.age + 1.0, now)
