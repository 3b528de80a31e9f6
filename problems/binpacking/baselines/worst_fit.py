from metamuse.policykit import Tree


class Policy:
    """Worst fit: the emptiest open bin (of equals the one opened first); a new bin if the item does not fit there.

    Johnson, "Near-optimal bin packing algorithms", MIT 1973. The open bins are the leaves of a tree of maxima.
    """

    def __init__(self, capacity):
        self.capacity = capacity
        self.free = Tree()

    def choose(self, item, remaining, n_open):
        emptiest = self.free.largest()
        if emptiest >= 0 and remaining[emptiest] >= item:
            return emptiest
        return -1

    def on_packed(self, item, bin, opened):
        free = self.capacity if opened else self.free.get(bin)
        self.free.set(bin, free - item)
