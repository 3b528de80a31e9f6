class Policy:
    """Next fit: the bin opened last or, if the item does not fit there, a new one; older bins are never reopened.

    Johnson, "Near-optimal bin packing algorithms", MIT 1973: what a conveyor belt with one open box can do.
    """

    def __init__(self, capacity):
        self.last = -1

    def choose(self, item, remaining, n_open):
        if self.last >= 0 and remaining[self.last] >= item:
            return self.last
        return -1

    def on_packed(self, item, bin, opened):
        self.last = bin
