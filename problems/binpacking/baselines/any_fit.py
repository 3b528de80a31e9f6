from metamuse.policykit import Buckets

K = 4  # tune: 1..512 log


class Policy:
    """Any-k fit: the k-th emptiest of the open bins with room (the fullest, if fewer have room); else a new bin.

    Any fit rules (Johnson, "Fast algorithms for bin packing", 1974) open a bin only if no open bin has room;
    they differ in which bin they take. This one runs through the family by one number: 1 is worst fit, 2 almost
    worst fit, and a large k best fit. The name and the parameter are ours.
    """

    def __init__(self, capacity):
        self.capacity = capacity
        self.bins = Buckets(capacity)

    def choose(self, item, remaining, n_open):
        level = self.bins.previous_level(self.capacity)
        if level < item:
            return -1
        emptier = self.bins.count(level)
        while emptier < K:
            lower = self.bins.previous_level(level - 1)
            if lower < item:
                break
            level = lower
            emptier += self.bins.count(level)
        return self.bins.first(level)

    def on_packed(self, item, bin, opened):
        free = self.capacity if opened else self.bins.level(bin)
        self.bins.put(bin, free - item)
