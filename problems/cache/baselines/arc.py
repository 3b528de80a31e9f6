import numpy as np

from metamuse.policykit import List


class Policy:
    """ARC: two LRU lists, objects seen once and objects seen again; ghosts of both set the balance.

    A miss on a ghost of a list says that the list was too short, and shifts the target for the first one.
    Megiddo and Modha, "ARC: a self-tuning, low overhead replacement cache", FAST 2003; as in libcachesim
    0.3.5: ARC. All sizes are in objects, or in bytes if the cache counts bytes.
    """

    def __init__(self, capacity, n_slots):
        self.capacity = capacity
        self.once = List(n_slots)  # T1 of the paper, last requested in front
        self.again = List(n_slots)  # T2
        self.once_ghosts = List(n_slots)  # B1
        self.again_ghosts = List(n_slots)  # B2
        self.once_used = 0
        self.again_used = 0
        self.once_ghosts_used = 0
        self.again_ghosts_used = 0
        self.sizes = np.zeros(n_slots, dtype=np.int64)  # with which objects were stored
        self.target = 0.0  # p of the paper: how large `once` should be
        self.returned_once = False  # the incoming object was a ghost of `once`
        self.returned_again = False
        self.leaves_ghost = True

    def on_hit(self, slot, key, size, now):
        if slot in self.once:
            self.once.remove(slot)
            self.once_used -= self.sizes[slot]
            self.again.push_front(slot)
            self.again_used += self.sizes[slot]
        else:
            self.again.move_to_front(slot)

    def admit(self, slot, key, size, now):
        self.returned_once = slot in self.once_ghosts
        self.returned_again = slot in self.again_ghosts
        if self.returned_once:
            step = max(self.again_ghosts_used / self.once_ghosts_used, 1.0)
            self.target = min(self.target + step, float(self.capacity))
        elif self.returned_again:
            step = max(self.once_ghosts_used / self.again_ghosts_used, 1.0)
            self.target = max(self.target - step, 0.0)
        self.on_forget(slot)
        return True

    def victim(self, slot, key, size, now):
        self.leaves_ghost = True
        if not self.returned_once and not self.returned_again:
            seen_once = self.once_used + self.once_ghosts_used
            everything = seen_once + self.again_used + self.again_ghosts_used
            if seen_once + size > self.capacity:
                if len(self.once_ghosts) > 0:
                    self.on_forget(self.once_ghosts.back())
                elif len(self.once) > 0:
                    self.leaves_ghost = False
                    return self.once.back()
            elif everything >= 2 * self.capacity and len(self.again_ghosts) > 0:
                self.on_forget(self.again_ghosts.back())
        too_long = self.once_used > self.target or (self.once_used == self.target and self.returned_again)
        others = len(self.again)
        if slot in self.again:  # a cached object that grew needs room; it stands in front
            others -= 1
        if len(self.once) > 0 and (too_long or others == 0):
            return self.once.back()
        return self.again.back()

    def on_evict(self, slot, key, size, now):
        if slot in self.once:
            self.once.remove(slot)
            self.once_used -= self.sizes[slot]
            if self.leaves_ghost:
                self.once_ghosts.push_front(slot)
                self.once_ghosts_used += self.sizes[slot]
        else:
            self.again.remove(slot)
            self.again_used -= self.sizes[slot]
            self.again_ghosts.push_front(slot)
            self.again_ghosts_used += self.sizes[slot]

    def on_insert(self, slot, key, size, now, remembered):
        self.sizes[slot] = size
        if self.returned_once or self.returned_again:
            self.again.push_front(slot)
            self.again_used += size
            self.returned_once = False
            self.returned_again = False
        else:
            self.once.push_front(slot)
            self.once_used += size

    def keeps(self, slot):
        return slot in self.once_ghosts or slot in self.again_ghosts

    def on_forget(self, slot):
        if self.once_ghosts.discard(slot):
            self.once_ghosts_used -= self.sizes[slot]
        elif self.again_ghosts.discard(slot):
            self.again_ghosts_used -= self.sizes[slot]
