import math

import numpy as np

from metamuse.policykit import List, Sketch

WINDOW = 0.01  # tune: 0.002..0.5 log
PROTECTED = 0.8  # tune: 0.3..0.95
AGE = 10  # tune: 3..30 log
LEAD = 1  # tune: 0..3
STEP = 0.0625  # tune: 0.005..0.3 log
PERIOD = 10.0  # tune: 1..50 log
FADE = 0.98  # tune: 0.8..1.0
RESTART = 0.05  # tune: 0.01..0.5 log

LARGEST = 0.8  # share of the window


class Policy:
    """Adaptive W-TinyLFU: the size of the LRU window in front of the TinyLFU filter climbs the hit ratio.

    Every PERIOD x cached objects requests the window grows or shrinks by a step: on in the same direction if
    the hit ratio rose, else back. Steps fade, and start anew when the hit ratio changed by RESTART. A wide
    window is LRU, for loads with recency; a narrow one is LFU with ageing. Einziger, Eytan, Friedman and
    Manes, "Adaptive software cache management", Middleware 2018 (hill climber; as in Caffeine).
    """

    def __init__(self, capacity, n_slots):
        self.window = List(n_slots)  # last requested in front, as in the two others
        self.probation = List(n_slots)
        self.protected = List(n_slots)
        self.keys = np.zeros(n_slots, dtype=np.int64)
        self.sizes = np.zeros(n_slots, dtype=np.int64)  # with which objects were stored
        self.capacity = capacity
        self.share = WINDOW
        self.step = STEP
        self.window_used = 0
        self.protected_used = 0
        self.hits = 0  # of this period
        self.began = 0
        self.hit_ratio = 0.0  # of the last one
        # About a third of the slots can be cached at once: three counters a row for each of them.
        self.requests = Sketch(n_slots, 15, max(AGE * (n_slots // 3), 16))

    def on_hit(self, slot, key, size, now):
        self.requests.add(key)
        self.hits += 1
        if slot in self.window:
            self.window.move_to_front(slot)
        elif slot in self.protected:
            self.protected.move_to_front(slot)
        else:
            self.probation.remove(slot)
            self.protected.push_front(slot)
            self.protected_used += self.sizes[slot]
            room = PROTECTED * (self.capacity - self.window_room())
            while self.protected_used > room:
                last = self.protected.pop_back()
                self.protected_used -= self.sizes[last]
                self.probation.push_front(last)

    def admit(self, slot, key, size, now):
        self.requests.add(key)
        cached = len(self.window) + len(self.probation) + len(self.protected)
        if now - self.began >= PERIOD * max(cached, 1):
            self.climb(self.hits / (now - self.began))
            self.hits = 0
            self.began = now
        return True

    def climb(self, hit_ratio):
        change = hit_ratio - self.hit_ratio
        self.hit_ratio = hit_ratio
        if change < 0.0:
            self.step = -self.step
        if abs(change) >= RESTART:
            self.step = math.copysign(STEP, self.step)
        self.share = min(max(self.share + self.step, 0.0), LARGEST)
        self.step *= FADE

    def victim(self, slot, key, size, now):
        loser = self.last(self.probation, slot)
        if loser < 0:
            loser = self.last(self.protected, slot)
        candidate = self.last(self.window, slot)
        if candidate < 0 or (loser >= 0 and self.window_used + size <= self.window_room()):
            return loser
        if loser < 0 or self.count(candidate) <= self.count(loser) + LEAD:
            return candidate
        self.window_to_probation(candidate)
        return loser

    def on_evict(self, slot, key, size, now):
        if self.window.discard(slot):
            self.window_used -= self.sizes[slot]
        elif self.protected.discard(slot):
            self.protected_used -= self.sizes[slot]
        else:
            self.probation.remove(slot)

    def on_insert(self, slot, key, size, now, remembered):
        self.keys[slot] = key
        self.sizes[slot] = size
        self.window.push_front(slot)
        self.window_used += size
        while self.window_used > self.window_room() and len(self.window) > 1:
            self.window_to_probation(self.window.back())

    def window_room(self):
        return max(1, int(self.capacity * self.share))

    def count(self, slot):
        return self.requests.estimate(self.keys[slot])

    def last(self, queue, slot):
        found = queue.back()
        if found == slot and found >= 0:  # a cached object that grew needs room
            found = queue.prev(found)
        return found

    def window_to_probation(self, slot):
        self.window.remove(slot)
        self.window_used -= self.sizes[slot]
        self.probation.push_front(slot)
