from metamuse.policykit import Tree

M = 6  # tune: 2..12


class Policy:
    """Refined first fit: first fit within four classes of items, each in bins of its own class.

    Classes by share of a bin: above 1/2; above 2/5; above 1/3; the rest. Every m-th item of the third class goes
    by first fit to the bins of the first, whose space beside a large item it fills. Yao, "New algorithms for bin
    packing", JACM 27, 1980; m is 6 to 9 there.
    """

    def __init__(self, capacity):
        self.capacity = capacity
        self.large = Tree()  # free space of the bins of each class
        self.medium = Tree()
        self.third = Tree()
        self.small = Tree()
        self.thirds = 0  # items of the third class so far
        self.kind = 0  # class of bins that the item in hand goes to

    def choose(self, item, remaining, n_open):
        if 2 * item > self.capacity:
            self.kind = 0
        elif 5 * item > 2 * self.capacity:
            self.kind = 1
        elif 3 * item > self.capacity:
            self.thirds += 1
            self.kind = 0 if self.thirds % M == 0 else 2
        else:
            self.kind = 3
        if self.kind == 0:
            return self.large.first(item)
        if self.kind == 1:
            return self.medium.first(item)
        if self.kind == 2:
            return self.third.first(item)
        return self.small.first(item)

    def on_packed(self, item, bin, opened):
        if self.kind == 0:
            self.large.set(bin, (self.capacity if opened else self.large.get(bin)) - item)
        elif self.kind == 1:
            self.medium.set(bin, (self.capacity if opened else self.medium.get(bin)) - item)
        elif self.kind == 2:
            self.third.set(bin, (self.capacity if opened else self.third.get(bin)) - item)
        else:
            self.small.set(bin, (self.capacity if opened else self.small.get(bin)) - item)
