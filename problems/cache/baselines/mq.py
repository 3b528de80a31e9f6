import numpy as np

from metamuse.policykit import List

QUEUES = 8  # tune: 2..12
LIFETIME = 10000  # tune: 100..1000000 log
REMEMBERED = 2.0  # tune: 0.1..2.0


class Policy:
    """MQ: LRU queues by the logarithm of an object's requests; who is not requested for long sinks by one.

    Counts survive eviction in a ghost queue. Zhou, Philbin and Li, "The multi-queue replacement algorithm for
    second level buffer caches", USENIX 2001; as in libcachesim 0.3.5: MQ, there with 4 times the capacity
    remembered, here with 2 (the budget of remembered objects; equal with qout_size_ratio = 2).
    """

    def __init__(self, capacity, n_slots):
        # One list holds all queues, lowest first, least recent first; the entry `end + i` closes queue i.
        self.order = List(n_slots + QUEUES)
        self.end = n_slots
        for queue in range(QUEUES):
            self.order.push_back(self.end + queue)
        self.ghosts = List(n_slots)  # newest in front
        self.count = np.zeros(n_slots, dtype=np.int64)
        self.expires = np.zeros(n_slots, dtype=np.int64)
        self.sizes = np.zeros(n_slots, dtype=np.int64)  # with which objects were stored
        self.room = int(capacity * REMEMBERED)  # of the ghosts
        self.used = 0
        self.returning = False  # the incoming object was a ghost

    def enter(self, slot, queue, now):
        self.order.insert_before(slot, self.end + queue)
        self.expires[slot] = now + LIFETIME

    def rise(self, slot, now):
        queue = 0
        while queue < QUEUES - 1 and self.count[slot] >= 2 << queue:
            queue += 1
        self.enter(slot, queue, now)

    def sink(self, now):
        for queue in range(1, QUEUES):
            oldest = self.order.next(self.end + queue - 1)
            if oldest < self.end and self.expires[oldest] < now:
                self.order.remove(oldest)
                self.enter(oldest, queue - 1, now)

    def on_hit(self, slot, key, size, now):
        self.sink(now)
        self.order.remove(slot)
        self.count[slot] += 1
        self.rise(slot, now)

    def admit(self, slot, key, size, now):
        self.sink(now)
        self.returning = slot in self.ghosts
        self.on_forget(slot)
        return True

    def victim(self, slot, key, size, now):
        loser = self.order.front()
        while loser >= self.end or loser == slot:
            loser = self.order.next(loser)
        return loser

    def on_evict(self, slot, key, size, now):
        self.order.remove(slot)
        while self.used + self.sizes[slot] > self.room and len(self.ghosts) > 0:
            self.on_forget(self.ghosts.back())
        if self.sizes[slot] <= self.room:
            self.ghosts.push_front(slot)
            self.used += self.sizes[slot]

    def on_insert(self, slot, key, size, now, remembered):
        self.sizes[slot] = size
        if not self.returning:
            self.count[slot] = 0
        self.count[slot] += 1
        self.rise(slot, now)

    def keeps(self, slot):
        return slot in self.ghosts

    def on_forget(self, slot):
        if self.ghosts.discard(slot):
            self.used -= self.sizes[slot]
