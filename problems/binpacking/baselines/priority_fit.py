from metamuse.policykit import Buckets

TIGHT = 0.06  # tune: 0.0..0.3
LOOSE = 0.14  # tune: 0.0..0.5


class Policy:
    """Priority fit: fill a bin up or leave it useful; a leftover in between, which nothing will fill, comes last.

    An item goes where it leaves at most TIGHT of a bin, the least first; else where it leaves least above LOOSE,
    in a new bin if need be; else where it leaves least. A priority by leftover alone, the form of the
    heuristics that FunSearch (Romera-Paredes et al., Nature 625, 2024) and its followers search for.
    """

    def __init__(self, capacity):
        self.capacity = capacity
        self.tight = int(capacity * TIGHT)
        self.loose = int(capacity * LOOSE)
        self.bins = Buckets(capacity)  # by free space

    def choose(self, item, remaining, n_open):
        fullest = self.bins.at_least(item)
        if fullest >= 0 and remaining[fullest] - item <= self.tight:
            return fullest
        roomy = self.bins.at_least(item + self.loose + 1)
        if roomy >= 0 or self.capacity - item > self.loose:
            return roomy
        return fullest

    def on_packed(self, item, bin, opened):
        free = self.capacity if opened else self.bins.level(bin)
        self.bins.put(bin, free - item)
