import numpy as np

from metamuse.policykit import List, Stack


class Policy:
    """LFU: evict the object requested least often since it was stored; among equals the least recent one.

    As in libcachesim 0.3.5: LFU. Counts are forgotten at eviction and never age. O(1) a request (after Shah,
    Mitra and Matani, "An O(1) algorithm for implementing the LFU cache eviction scheme", 2010): all objects
    stand in one order, most often requested in front, in runs of equal count with the newest of a run in
    front; a hit moves an object in front of the next run. So counts and ties are exact, however large.
    """

    def __init__(self, capacity, n_slots):
        self.order = List(n_slots)
        self.run = np.zeros(n_slots, dtype=np.int32)  # run that an object is in
        self.count = np.zeros(n_slots, dtype=np.int64)  # requests of each object of a run
        self.newest = np.zeros(n_slots, dtype=np.int32)  # front object of a run
        self.members = np.zeros(n_slots, dtype=np.int32)  # objects in a run
        self.free = Stack(n_slots)  # runs no longer in use
        self.runs = 0  # runs that were ever in use

    def start_run(self, count):
        if len(self.free) > 0:
            run = self.free.pop()
        else:
            run = self.runs
            self.runs += 1
        self.count[run] = count
        self.members[run] = 0
        return run

    def join(self, run, slot):
        self.run[slot] = run
        self.newest[run] = slot
        self.members[run] += 1

    def leave(self, slot):
        run = self.run[slot]
        self.members[run] -= 1
        if self.members[run] == 0:
            self.free.push(run)
        elif self.newest[run] == slot:
            self.newest[run] = self.order.next(slot)

    def on_hit(self, slot, key, size, now):
        run = self.run[slot]
        count = self.count[run] + 1
        above = self.order.prev(self.newest[run])
        if above >= 0 and self.count[self.run[above]] == count:
            higher = self.run[above]
            self.leave(slot)
            self.order.remove(slot)
            self.order.insert_before(slot, self.newest[higher])
            self.join(higher, slot)
        elif self.members[run] == 1:
            self.count[run] = count
        else:
            front = self.newest[run]
            self.leave(slot)
            if front != slot:
                self.order.remove(slot)
                self.order.insert_before(slot, front)
            self.join(self.start_run(count), slot)

    def victim(self, slot, key, size, now):
        rarest = self.order.back()
        if rarest == slot:
            rarest = self.order.prev(rarest)
        return rarest

    def on_evict(self, slot, key, size, now):
        self.leave(slot)
        self.order.remove(slot)

    def on_insert(self, slot, key, size, now, remembered):
        rarest = self.order.back()
        if rarest >= 0 and self.count[self.run[rarest]] == 1:
            run = self.run[rarest]
            self.order.insert_before(slot, self.newest[run])
        else:
            run = self.start_run(1)
            self.order.push_back(slot)
        self.join(run, slot)
