import numpy as np

from metamuse.policykit import List

COLD = 0.01  # tune: 0.005..0.3 log

UNKNOWN = 0
HOT = 1  # LIR of the paper: keeps its place in the cache
GUEST = 2  # resident HIR: in the queue, evicted when it comes to the front
GONE = 3  # non-resident HIR: evicted, but still on the stack


class Policy:
    """LIRS: keep the objects with the smallest distance between their last two requests.

    A stack orders the objects by last request, down to the hot one that is the least recent; a guest that is
    requested while it is still on the stack has the shorter distance and takes that one's place. Jiang and
    Zhang, "LIRS: an efficient low inter-reference recency set replacement policy", SIGMETRICS 2002; as in
    libcachesim 0.3.5: LIRS, which, unlike the paper, also demotes a hot object when a guest that is no
    longer on the stack is hit. Below 200 objects (one guest) that would make it exceed its capacity; there
    the paper's rule applies here.
    """

    def __init__(self, capacity, n_slots):
        self.stack = List(n_slots)  # last requested in front
        self.queue = List(n_slots)  # guests, next to go in front
        self.gone = List(n_slots)  # evicted ones on the stack, first evicted in front
        self.state = np.zeros(n_slots, dtype=np.int8)
        self.sizes = np.zeros(n_slots, dtype=np.int64)  # with which objects were stored
        self.longest = 2 * capacity  # entries of the stack
        self.queue_room = max(1, int(capacity * COLD))
        self.hot_room = max(1, capacity - self.queue_room)
        self.queue_used = 0
        self.hot_used = 0

    def on_hit(self, slot, key, size, now):
        on_stack = slot in self.stack
        if on_stack:
            self.stack.move_to_front(slot)
        if self.state[slot] == HOT:
            self.prune()
        elif on_stack:
            self.leave_queue(slot)
            self.become_hot(slot)
        else:
            self.queue.move_to_back(slot)
            if self.queue_room > 1:
                self.make_hot_room(1)
            self.stack.push_front(slot)
        self.trim()

    def admit(self, slot, key, size, now):
        if self.state[slot] == GONE:
            self.stack.move_to_front(slot)
        return True

    def victim(self, slot, key, size, now):
        guest = self.queue.front()
        if guest == slot:  # a cached object that grew needs room
            guest = self.queue.next(guest)
        if guest >= 0:
            return guest
        last = self.stack.back()
        while last == slot or self.state[last] != HOT:
            last = self.stack.prev(last)
        return last

    def shed(self, slot, key, size, now):
        if self.queue_used > self.queue_room and len(self.queue) > 1:
            return self.queue.front()
        return -1

    def on_evict(self, slot, key, size, now):
        if self.state[slot] == HOT:
            self.stack.remove(slot)
            self.hot_used -= self.sizes[slot]
            self.state[slot] = UNKNOWN
            self.prune()
            return
        self.leave_queue(slot)
        if slot in self.stack:
            self.state[slot] = GONE
            self.gone.push_back(slot)
        else:
            self.state[slot] = UNKNOWN

    def on_insert(self, slot, key, size, now, remembered):
        self.sizes[slot] = size
        if self.state[slot] == GONE:
            self.gone.remove(slot)
            self.become_hot(slot)
        else:
            self.stack.push_front(slot)
            if self.hot_used + size <= self.hot_room:
                self.become_hot(slot)
            else:
                self.enter_queue(slot)
        self.trim()

    def keeps(self, slot):
        return self.state[slot] == GONE

    def on_forget(self, slot):
        if self.state[slot] == GONE:
            self.forget(slot)

    def become_hot(self, slot):
        self.state[slot] = GUEST  # until there is room
        self.make_hot_room(self.sizes[slot])
        self.state[slot] = HOT
        self.hot_used += self.sizes[slot]
        self.prune()

    def make_hot_room(self, size):
        while self.hot_used > 0 and self.hot_used + size > self.hot_room:
            last = self.stack.pop_back()
            self.hot_used -= self.sizes[last]
            self.enter_queue(last)
            self.prune()

    def enter_queue(self, slot):
        self.state[slot] = GUEST
        self.queue.push_back(slot)
        self.queue_used += self.sizes[slot]

    def leave_queue(self, slot):
        self.queue.remove(slot)
        self.queue_used -= self.sizes[slot]

    def prune(self):
        # The bottom of the stack is a hot object, unless there is none.
        while len(self.stack) > 1 and self.state[self.stack.back()] != HOT:
            last = self.stack.back()
            if self.state[last] == GONE:
                self.forget(last)
            else:
                self.stack.remove(last)

    def trim(self):
        while len(self.stack) > self.longest and len(self.gone) > 0:
            self.forget(self.gone.front())

    def forget(self, slot):
        self.stack.remove(slot)
        self.gone.remove(slot)
        self.state[slot] = UNKNOWN
