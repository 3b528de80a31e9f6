import numpy as np

from metamuse.policykit import List

RECENT = 0.25  # tune: 0.05..0.9
REMEMBERED = 0.5  # tune: 0.1..1.0


class Policy:
    """2Q: new objects queue in A1in; those requested again after they left it (A1out) enter an LRU list.

    Requests while an object is in A1in are taken as correlated and do not count. Johnson and Shasha, "2Q: a
    low overhead high performance buffer management replacement algorithm", VLDB 1994; as in libcachesim
    0.3.5: TwoQ, except that a unit-size cache below 4 works here.
    """

    def __init__(self, capacity, n_slots):
        self.recent = List(n_slots)  # A1in, newest in front
        self.ghost = List(n_slots)  # A1out
        self.main = List(n_slots)  # Am, last requested in front
        self.recent_room = max(1, int(capacity * RECENT))
        self.ghost_room = int(capacity * REMEMBERED)
        self.main_room = capacity - self.recent_room
        self.recent_used = 0
        self.ghost_used = 0
        self.main_used = 0
        self.sizes = np.zeros(n_slots, dtype=np.int64)  # with which objects were stored
        self.returning = False  # the incoming object was a ghost

    def on_hit(self, slot, key, size, now):
        if slot in self.main:
            self.main.move_to_front(slot)

    def admit(self, slot, key, size, now):
        self.returning = slot in self.ghost
        self.on_forget(slot)
        return size <= self.recent_room

    def victim(self, slot, key, size, now):
        oldest = self.recent.back()
        if oldest == slot:  # a cached object that grew needs room
            oldest = self.recent.prev(oldest)
        last = self.main.back()
        if oldest >= 0 and (self.recent_used > self.recent_room or last < 0 or last == slot):
            return oldest
        return last

    def shed(self, slot, key, size, now):
        # The main list keeps to its own room even while the recent queue leaves some of its own unused.
        if self.main_used > self.main_room and len(self.main) > 1:
            return self.main.back()
        return -1

    def on_evict(self, slot, key, size, now):
        if slot in self.main:
            self.main.remove(slot)
            self.main_used -= self.sizes[slot]
            return
        self.recent.remove(slot)
        self.recent_used -= self.sizes[slot]
        if self.sizes[slot] <= self.ghost_room:
            while self.ghost_used + self.sizes[slot] > self.ghost_room:
                self.on_forget(self.ghost.back())
            self.ghost.push_front(slot)
            self.ghost_used += self.sizes[slot]

    def on_insert(self, slot, key, size, now, remembered):
        self.sizes[slot] = size
        if self.returning:
            self.main.push_front(slot)
            self.main_used += size
        else:
            self.recent.push_front(slot)
            self.recent_used += size

    def keeps(self, slot):
        return slot in self.ghost

    def on_forget(self, slot):
        if self.ghost.discard(slot):
            self.ghost_used -= self.sizes[slot]
