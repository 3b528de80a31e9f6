from metamuse.policykit import Buckets


class Policy:
    """Best fit: the open bin that the item fills up most; a new bin if none has room.

    Johnson, "Near-optimal bin packing algorithms", MIT 1973. Bins are kept by their free space; which one of
    several equally free bins is taken makes no difference to the number of bins.
    """

    def __init__(self, capacity):
        self.capacity = capacity
        self.bins = Buckets(capacity)

    def choose(self, item, remaining, n_open):
        return self.bins.at_least(item)

    def on_packed(self, item, bin, opened):
        free = self.capacity if opened else self.bins.level(bin)
        self.bins.put(bin, free - item)
