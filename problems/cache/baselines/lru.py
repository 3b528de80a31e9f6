from metamuse.policykit import List


class Policy:
    """LRU: evict the object whose last request is longest ago.

    Optimal if the next request is the more likely the more recent the last one was (Mattson et al.,
    "Evaluation techniques for storage hierarchies", IBM Systems Journal 1970); as in libcachesim 0.3.5: LRU.
    """

    def __init__(self, capacity, n_slots):
        self.recency = List(n_slots)  # last requested in front

    def on_hit(self, slot, key, size, now):
        self.recency.move_to_front(slot)

    def victim(self, slot, key, size, now):
        return self.recency.back()

    def on_evict(self, slot, key, size, now):
        self.recency.remove(slot)

    def on_insert(self, slot, key, size, now, remembered):
        self.recency.push_front(slot)
