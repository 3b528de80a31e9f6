import numpy as np

from metamuse.policykit import Heap


class Policy:
    """LFUDA: LFU with dynamic ageing; what was popular once gives way when the cache's age catches up with it.

    The age is the least rank in the cache; a newcomer starts one above it and each hit adds the age to an
    object's rank. The lowest rank is evicted, among equals the least recent. Arlitt et al., "Evaluating
    content management techniques for web proxy caches", Performance Evaluation Review 2000, where a hit sets
    the rank to age plus count; as in libcachesim 0.3.5: LFUDA, whose ranks double with every turnover, so
    that it does not end at small capacities. Here they are floats; past their range what is left is LRU.
    """

    def __init__(self, capacity, n_slots):
        # The heap's ids are tickets, issued in order of request: of equal ranks the older request goes first.
        self.tickets = 2 * n_slots
        self.order = Heap(self.tickets)
        self.issued = 0
        self.owner = np.zeros(self.tickets, dtype=np.int32)
        self.ticket = np.zeros(n_slots, dtype=np.int32)
        self.age = 0.0
        self.ageing = False  # something was evicted

    def enter(self, slot, rank):
        if self.issued == self.tickets:
            self.renumber()
        self.issue(slot, rank)

    def issue(self, slot, rank):
        self.owner[self.issued] = slot
        self.ticket[slot] = self.issued
        self.order.push(self.issued, rank)
        self.issued += 1

    def renumber(self):
        self.issued = 0
        for ticket in range(self.tickets):
            if ticket in self.order:
                self.issue(self.owner[ticket], self.leave(ticket))

    def leave(self, ticket):
        rank = self.order.priority(ticket)
        self.order.remove(ticket)
        return rank

    def grow_older(self):
        if self.ageing and len(self.order) > 0:
            self.age = self.order.priority(self.order.top())

    def on_hit(self, slot, key, size, now):
        self.grow_older()
        self.enter(slot, self.leave(self.ticket[slot]) + self.age)

    def victim(self, slot, key, size, now):
        ticket = self.order.top()
        if self.owner[ticket] == slot:  # a cached object that grew needs room
            rank = self.leave(ticket)
            other = self.order.top()
            self.order.push(ticket, rank)
            return self.owner[other]
        return self.owner[ticket]

    def on_evict(self, slot, key, size, now):
        self.age = self.leave(self.ticket[slot])
        self.ageing = True

    def on_insert(self, slot, key, size, now, remembered):
        self.grow_older()
        self.enter(slot, self.age + 1.0)
