from metamuse.policykit import Tree


class Policy:
    """Almost worst fit: the second emptiest open bin; the emptiest if only that has room; else a new bin.

    Johnson, "Near-optimal bin packing algorithms", MIT 1973: a step away from the emptiest bin makes worst fit
    as good as first fit in the worst case. Of equally empty bins the one opened first counts as the emptier.
    """

    def __init__(self, capacity):
        self.capacity = capacity
        self.free = Tree()

    def choose(self, item, remaining, n_open):
        emptiest = self.free.largest()
        if emptiest < 0 or remaining[emptiest] < item:
            return -1
        second = self.free.largest(emptiest)
        if second >= 0 and remaining[second] >= item:
            return second
        return emptiest

    def on_packed(self, item, bin, opened):
        free = self.capacity if opened else self.free.get(bin)
        self.free.set(bin, free - item)
