import numpy as np

K = 4  # tune: 2..20


class Policy:
    """Harmonic-k: items above 1/2, 1/3, … of a bin have bins of their own kind, with 1, 2, … in each.

    The smallest items, up to 1/k of a bin, share the last kind, packed by next fit. Lee and Lee, "A simple on-line
    bin-packing algorithm", JACM 32, 1985. A bin of the other kinds has room exactly until it holds its number,
    so next fit within each kind is all there is to do.
    """

    def __init__(self, capacity):
        self.capacity = capacity
        self.last = np.full(K + 1, -1)  # open bin of each kind

    def kind(self, item):
        return min(self.capacity // item, K)

    def choose(self, item, remaining, n_open):
        bin = self.last[self.kind(item)]
        if bin >= 0 and remaining[bin] >= item:
            return bin
        return -1

    def on_packed(self, item, bin, opened):
        self.last[self.kind(item)] = bin
