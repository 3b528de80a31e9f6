import numpy as np

from metamuse.policykit import List

PROBATION = 0.1  # tune: 0.01..0.5 log
REMEMBERED = 0.9  # tune: 0.1..1.0
ROUNDS = 3  # tune: 1..7


class Policy:
    """QDLP: quick demotion in a small FIFO queue, lazy promotion by a Clock behind it.

    An object that was not hit in the small queue leaves after one pass and is only remembered; those hit
    there, and those remembered, enter the main Clock, which makes room for them within its own share. Yang et
    al., "FIFO can be better than LRU: the power of lazy promotion and quick demotion", HotOS 2023; as in
    libcachesim 0.3.5: QDLP, except that there an object of exactly the small queue's size displaces others
    without being stored (so that unit-size caches below 20 stay empty).
    """

    def __init__(self, capacity, n_slots):
        self.probation = List(n_slots)  # newest in front, as in the others
        self.main = List(n_slots)
        self.entering = List(n_slots)  # on the way to `main`, first to enter at the back
        self.ghosts = List(n_slots)
        self.rounds = np.zeros(n_slots, dtype=np.int8)  # hits in `probation`, rounds earned in `main`
        self.sizes = np.zeros(n_slots, dtype=np.int64)  # with which objects were stored
        self.probation_room = max(1, int(capacity * PROBATION))
        self.main_room = capacity - self.probation_room
        self.ghost_room = int(capacity * REMEMBERED)
        self.main_used = 0
        self.ghosts_used = 0
        self.returning = False  # the incoming object was a ghost

    def on_hit(self, slot, key, size, now):
        if self.rounds[slot] < ROUNDS:
            self.rounds[slot] += 1

    def admit(self, slot, key, size, now):
        self.returning = slot in self.ghosts
        self.on_forget(slot)
        return size < self.probation_room or size == 1

    def leaves_main(self, slot):
        # Lets the first of `entering` in while there is room, else says who has to leave for it.
        while len(self.entering) > 0:
            first = self.entering.back()
            others = len(self.main)
            if slot in self.main:
                others -= 1
            if others > 0 and self.main_used + self.sizes[first] > self.main_room:
                return self.sweep(slot)
            self.entering.remove(first)
            self.rounds[first] = 0
            self.main.push_front(first)
            self.main_used += self.sizes[first]
        return -1

    def sweep(self, slot):
        oldest = self.main.back()
        while self.rounds[oldest] > 0 or oldest == slot:  # grew: not its own victim
            if self.rounds[oldest] > 0:
                self.rounds[oldest] -= 1
            self.main.move_to_front(oldest)
            oldest = self.main.back()
        return oldest

    def victim(self, slot, key, size, now):
        loser = self.leaves_main(slot)
        while loser < 0 and len(self.probation) > 0:
            oldest = self.probation.back()
            if self.rounds[oldest] == 0:
                return oldest
            self.probation.remove(oldest)
            self.entering.push_front(oldest)
            loser = self.leaves_main(slot)
        if loser < 0:
            loser = self.sweep(slot)
        return loser

    def shed(self, slot, key, size, now):
        return self.leaves_main(-1)

    def on_evict(self, slot, key, size, now):
        if self.main.discard(slot):
            self.main_used -= self.sizes[slot]
            return
        self.probation.remove(slot)
        while self.ghosts_used + self.sizes[slot] > self.ghost_room and len(self.ghosts) > 0:
            self.on_forget(self.ghosts.back())
        self.ghosts.push_front(slot)
        self.ghosts_used += self.sizes[slot]

    def on_insert(self, slot, key, size, now, remembered):
        self.sizes[slot] = size
        self.rounds[slot] = 0
        if self.returning:
            self.entering.push_front(slot)
        else:
            self.probation.push_front(slot)

    def keeps(self, slot):
        return slot in self.ghosts

    def on_forget(self, slot):
        if self.ghosts.discard(slot):
            self.ghosts_used -= self.sizes[slot]
