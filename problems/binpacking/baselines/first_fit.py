from metamuse.policykit import Tree


class Policy:
    """First fit: the bin opened first among those with room; a new bin if there is none.

    Johnson, "Near-optimal bin packing algorithms", MIT 1973; the reference of the reports. The open bins are the
    leaves of a tree of maxima, so an item takes O(log n).
    """

    def __init__(self, capacity):
        self.capacity = capacity
        self.free = Tree()

    def choose(self, item, remaining, n_open):
        return self.free.first(item)

    def on_packed(self, item, bin, opened):
        free = self.capacity if opened else self.free.get(bin)
        self.free.set(bin, free - item)
