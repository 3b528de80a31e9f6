from metamuse.policykit import Buckets


class Policy:
    """Sum of squares: keep the numbers of bins at the different levels alike, so that any item finds its match.

    An item goes where the sum over all levels of (number of bins filled to that level)^2 becomes smallest; full
    bins do not count. Ties go to the fullest bin, to a new bin last. Csirik, Johnson, Kenyon, Orlin, Shor and
    Weber, "On the sum-of-squares algorithm for bin packing", JACM 53, 2006. O(levels in use) an item.
    """

    def __init__(self, capacity):
        self.capacity = capacity
        self.bins = Buckets(capacity)  # by free space

    def growth(self, free, item):
        """How much the sum grows when a bin with that much free space, or a new one, takes the item."""
        grown = 0
        if free < self.capacity:
            grown -= 2 * self.bins.count(free) - 1
        if free > item:
            grown += 2 * self.bins.count(free - item) + 1
        return grown

    def choose(self, item, remaining, n_open):
        best = -1
        least = self.growth(self.capacity, item)
        free = self.bins.next_level(item)
        while free >= 0:
            grown = self.growth(free, item)
            if grown < least or (grown == least and best < 0):
                least = grown
                best = self.bins.first(free)
            free = self.bins.next_level(free + 1)
        return best

    def on_packed(self, item, bin, opened):
        free = self.capacity if opened else self.bins.level(bin)
        self.bins.put(bin, free - item)
