import numpy as np

from metamuse.policykit import List, Sketch

WINDOW = 0.01  # tune: 0.002..0.5 log
PROTECTED = 0.8  # tune: 0.3..0.95
AGE = 10  # tune: 3..30 log
LEAD = 1  # tune: 0..3

IN_WINDOW = 0
ON_PROBATION = 1
IN_PROTECTED = 2


class Policy:
    """W-TinyLFU: an LRU window in front; who leaves it must be requested more often than the main victim.

    A sketch of 4-bit counts, halved every AGE x capacity requests, compares them. The newcomer must lead by
    more than LEAD: its own last request counts, and in a loop as long as the sketch's period everybody
    else's count was halved since. The main cache is an SLRU with a probation and a protected segment.
    Einziger, Friedman and Manes, "TinyLFU: a highly efficient cache admission policy", ACM Transactions on
    Storage 2017. A design of its own: near libcachesim's WTinyLFU, not equal to it.
    """

    def __init__(self, capacity, n_slots):
        self.window = List(n_slots)  # last requested in front, as in the two others
        self.probation = List(n_slots)
        self.protected = List(n_slots)
        self.place = np.zeros(n_slots, dtype=np.int8)
        self.keys = np.zeros(n_slots, dtype=np.int64)
        self.sizes = np.zeros(n_slots, dtype=np.int64)  # with which objects were stored
        self.window_room = max(1, int(capacity * WINDOW))
        self.protected_room = int((capacity - self.window_room) * PROTECTED)
        self.window_used = 0
        self.protected_used = 0
        # About a third of the slots can be cached at once: three counters a row for each of them.
        self.requests = Sketch(n_slots, 15, max(AGE * (n_slots // 3), 16))

    def on_hit(self, slot, key, size, now):
        self.requests.add(key)
        if self.place[slot] == IN_WINDOW:
            self.window.move_to_front(slot)
        elif self.place[slot] == IN_PROTECTED:
            self.protected.move_to_front(slot)
        else:
            self.probation.remove(slot)
            self.protected.push_front(slot)
            self.place[slot] = IN_PROTECTED
            self.protected_used += self.sizes[slot]
            while self.protected_used > self.protected_room:
                last = self.protected.pop_back()
                self.protected_used -= self.sizes[last]
                self.put_on_probation(last)

    def admit(self, slot, key, size, now):
        self.requests.add(key)
        return True

    def victim(self, slot, key, size, now):
        loser = self.probation.back()
        if loser == slot:  # a cached object that grew needs room
            loser = self.probation.prev(loser)
        if loser < 0:
            loser = self.protected.back()
        if loser == slot:
            loser = self.protected.prev(loser)
        candidate = self.window.back()
        if candidate == slot:
            candidate = self.window.prev(candidate)
        if candidate < 0 or (loser >= 0 and self.window_used + size <= self.window_room):
            return loser
        if loser < 0 or self.count(candidate) <= self.count(loser) + LEAD:
            return candidate
        self.window_to_probation(candidate)
        return loser

    def on_evict(self, slot, key, size, now):
        if self.place[slot] == IN_WINDOW:
            self.window.remove(slot)
            self.window_used -= self.sizes[slot]
        elif self.place[slot] == ON_PROBATION:
            self.probation.remove(slot)
        else:
            self.protected.remove(slot)
            self.protected_used -= self.sizes[slot]

    def on_insert(self, slot, key, size, now, remembered):
        self.keys[slot] = key
        self.sizes[slot] = size
        self.place[slot] = IN_WINDOW
        self.window.push_front(slot)
        self.window_used += size
        while self.window_used > self.window_room and len(self.window) > 1:
            self.window_to_probation(self.window.back())

    def count(self, slot):
        return self.requests.estimate(self.keys[slot])

    def window_to_probation(self, slot):
        self.window.remove(slot)
        self.window_used -= self.sizes[slot]
        self.put_on_probation(slot)

    def put_on_probation(self, slot):
        self.probation.push_front(slot)
        self.place[slot] = ON_PROBATION
