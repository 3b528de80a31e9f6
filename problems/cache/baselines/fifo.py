from metamuse.policykit import List


class Policy:
    """FIFO: evict the object that was stored first, whatever happened since.

    The oldest rule there is and the reference of the reports; as in libcachesim 0.3.5: FIFO.
    """

    def __init__(self, capacity, n_slots):
        self.queue = List(n_slots)  # newest in front

    def victim(self, slot, key, size, now):
        oldest = self.queue.back()
        if oldest == slot:  # a cached object that grew needs room: it must not give way to itself
            oldest = self.queue.prev(oldest)
        return oldest

    def on_evict(self, slot, key, size, now):
        self.queue.remove(slot)

    def on_insert(self, slot, key, size, now, remembered):
        self.queue.push_front(slot)
