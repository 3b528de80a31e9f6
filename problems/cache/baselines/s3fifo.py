import numpy as np

from metamuse.policykit import List, Ring

SMALL = 0.1  # tune: 0.01..0.5 log
GHOST = 0.9  # tune: 0.1..1.0
PROMOTE = 2  # tune: 1..3

MOST = 3  # hits that count
NOWHERE = 0
IN_SMALL = 1
IN_MAIN = 2
IN_GHOST = 3


class Policy:
    """S3-FIFO: a small FIFO queue in front filters what is requested once, a main FIFO queue keeps the rest.

    Objects leave the small queue for the main one after PROMOTE hits, else for a ghost queue, which remembers
    only that they were there; who returns from there goes to the main queue at once. The main queue is a
    Clock with two bits. Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023; as in
    libcachesim 0.3.5: S3FIFO, except that there no object of the small queue's size or larger is stored, so
    that unit-size caches below 20 stay empty.
    """

    def __init__(self, capacity, n_slots):
        self.small = Ring(n_slots)
        self.main = Ring(n_slots)
        self.ghost = List(n_slots)  # newest in front; objects leave it from anywhere
        self.hits = np.zeros(n_slots, dtype=np.int8)
        self.place = np.zeros(n_slots, dtype=np.int8)
        self.sizes = np.ones(n_slots, dtype=np.int64)  # with which objects were stored
        self.unit = True  # all sizes so far were 1: leave that array alone, it is memory traffic
        self.small_room = max(1, int(capacity * SMALL))
        self.main_room = capacity - self.small_room
        self.ghost_room = max(1, int(capacity * GHOST))
        self.small_used = 0
        self.main_used = 0
        self.ghost_used = 0
        self.returning = False  # the incoming object was a ghost
        self.filling = True  # nothing was evicted so far

    def on_hit(self, slot, key, size, now):
        if self.hits[slot] < MOST:
            self.hits[slot] += 1

    def admit(self, slot, key, size, now):
        self.returning = self.place[slot] == IN_GHOST
        if self.returning:
            self.drop_ghost(slot)
        return size < self.small_room or size == 1

    def victim(self, slot, key, size, now):
        self.filling = False
        if self.main_used <= self.main_room:
            while len(self.small) > 0:
                oldest = self.small.peek()
                if self.hits[oldest] < PROMOTE and oldest != slot:
                    return oldest
                self.small.pop()
                self.small_used -= self.size_of(oldest)
                self.add_to_main(oldest)
        oldest = self.main.peek()
        while self.hits[oldest] > 0 or oldest == slot:
            if self.hits[oldest] > 0:
                self.hits[oldest] -= 1
            self.main.push(self.main.pop())
            oldest = self.main.peek()
        return oldest

    def on_evict(self, slot, key, size, now):
        if self.place[slot] == IN_MAIN:
            self.take(self.main, slot)
            self.main_used -= self.size_of(slot)
            self.place[slot] = NOWHERE
        else:
            self.take(self.small, slot)
            self.small_used -= self.size_of(slot)
            self.place[slot] = IN_GHOST
            self.ghost.push_front(slot)
            self.ghost_used += self.size_of(slot)
            while self.ghost_used > self.ghost_room:
                self.drop_ghost(self.ghost.back())

    def on_insert(self, slot, key, size, now, remembered):
        if size != 1 or not self.unit:
            self.unit = False
            self.sizes[slot] = size
        if self.returning or (self.filling and self.small_used >= self.small_room):
            self.add_to_main(slot)
        else:
            self.hits[slot] = 0
            self.place[slot] = IN_SMALL
            self.small.push(slot)
            self.small_used += size

    def keeps(self, slot):
        return self.place[slot] == IN_GHOST

    def on_forget(self, slot):
        if self.place[slot] == IN_GHOST:
            self.drop_ghost(slot)

    def add_to_main(self, slot):
        self.hits[slot] = 0
        self.place[slot] = IN_MAIN
        self.main.push(slot)
        self.main_used += self.size_of(slot)

    def drop_ghost(self, slot):
        self.ghost.remove(slot)
        self.ghost_used -= self.size_of(slot)
        self.place[slot] = NOWHERE

    def size_of(self, slot):
        if self.unit:
            return 1
        return self.sizes[slot]

    def take(self, queue, slot):
        if queue.peek() == slot:
            queue.pop()
            return
        # An object that grew beyond the cache was evicted from the middle: rare, so search for it.
        for _ in range(len(queue)):
            other = queue.pop()
            if other != slot:
                queue.push(other)
