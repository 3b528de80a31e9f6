import numpy as np

from metamuse.policykit import List

ROUNDS = 1  # tune: 1..7


class Policy:
    """Clock: FIFO with second chances; each hit buys one more round through the queue, up to ROUNDS.

    Corbato, "A paging experiment with the Multics system", 1968; GCLOCK for ROUNDS > 1 (Smith, TODS 1978).
    As in libcachesim 0.3.5: Clock with n_bit_counter = 1 (ROUNDS = 3 is its Clock with 2 bits).
    """

    def __init__(self, capacity, n_slots):
        self.queue = List(n_slots)  # newest in front
        self.rounds = np.zeros(n_slots, dtype=np.int8)  # rounds an object has earned

    def on_hit(self, slot, key, size, now):
        if self.rounds[slot] < ROUNDS:
            self.rounds[slot] += 1

    def victim(self, slot, key, size, now):
        oldest = self.queue.back()
        while self.rounds[oldest] > 0 or oldest == slot:
            if self.rounds[oldest] > 0:
                self.rounds[oldest] -= 1
            self.queue.move_to_front(oldest)
            oldest = self.queue.back()
        return oldest

    def on_evict(self, slot, key, size, now):
        self.queue.remove(slot)

    def on_insert(self, slot, key, size, now, remembered):
        self.rounds[slot] = 0
        self.queue.push_front(slot)
