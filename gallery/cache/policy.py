import numpy as np

from metamuse.policykit import List

DRY = 0.1236  # tune: 0.1..0.6
PACE = 0.01657  # tune: 0.002..0.05 log
RUN = 12  # tune: 3..60 log
MEMORY = 0.7647  # tune: 0.2..2.0
MOST = 1  # tune: 1..15 log


class Policy:
    """Wave Boost Hand: A watchman goes his rounds with a lamp; who has been asked for since is left in
    peace, a few rounds at most, and the first who has not is shown out. A critic walks along the
    players, who keep their places; applause of a few requests at most is used up as the critic passes,
    and who has none leaves."""

    def __init__(self, capacity, n_slots):
        self.room = max(1, min(capacity, n_slots // 2))
        self.water = 0.5
        self.run = 0
        self.gone = 0
        self.order = List(n_slots)
        self.hand = -1
        self.left = np.zeros(n_slots, dtype=np.int64)
        self.credit = np.zeros(n_slots, dtype=np.int64)

    def on_hit(self, slot, key, size, now):
        self.water += PACE * (1.0 - self.water)
        self.run = 0
        if self.credit[slot] < MOST:
            self.credit[slot] += 1

    def candidate(self, now):
        if self.hand < 0:
            self.hand = self.order.back()
        while self.credit[self.hand] > 0:
            self.credit[self.hand] -= 1
            self.hand = self.order.prev(self.hand)
            if self.hand < 0:
                self.hand = self.order.back()
        return self.hand

    def victim(self, slot, key, size, now):
        return self.candidate(now)

    def on_evict(self, slot, key, size, now):
        if slot == self.hand:
            self.hand = self.order.prev(slot)
        self.order.remove(slot)
        self.gone += 1
        self.left[slot] = self.gone

    def on_insert(self, slot, key, size, now, remembered):
        self.water -= PACE * self.water
        rank = 1  # 0: next to go, 1: ordinary, 2: favoured
        if self.water < DRY:
            rank = 0
        self.run += 1
        if self.run > RUN:
            rank = 0
        if remembered and self.gone - self.left[slot] <= MEMORY * self.room:
            rank = 2
        self.credit[slot] = 0
        if rank == 0:
            if self.hand >= 0:
                self.order.insert_before(slot, self.hand)
            else:
                self.order.push_back(slot)
        elif rank == 2:
            self.order.push_front(slot)
            self.credit[slot] += 1
        else:
            self.order.push_front(slot)
