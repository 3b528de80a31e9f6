import math
import numpy as np

from metamuse.policykit import Buckets

RIPE = 331  # tune: 30..5000 log
PATIENCE = 77.66  # tune: 8.0..80.0 log
CROWD = 0.01832  # tune: 0.001..0.1 log
TARGET = 0.6829  # tune: 0.03..1.0 log
FIRM = 0.002068  # tune: 0.002..0.05 log


class Policy:
    """Future Outlook Levels: Like a player each placement is judged by the best replies within a short
    while: the expected waste after it against that before. The care for a balanced stock of bins
    ripens over a long while; at first only tight fits count."""

    def __init__(self, capacity):
        self.capacity = capacity
        self.bins = Buckets(capacity)
        self.items = 0
        self.order = np.zeros(capacity + 1, dtype=np.int64)
        self.missed = np.ones(capacity + 1)
        self.seen = np.zeros(capacity + 1)
        self.total = 0.0
        self.due = 16
        self.waste = np.zeros(capacity + 1)
        self.waiting = 0
        self.best = -1
        self.least = 0.0

    def choose(self, item, remaining, n_open):
        self.best = -1
        self.least = 1e18
        free = self.bins.next_level(item)
        while free >= 0:
            self.offer(item, free, self.bins.first(free))
            free = self.bins.next_level(free + 1)
        if self.best >= 0:
            if self.cost(item, self.capacity, n_open) + FIRM * (self.waiting / (1.0 + TARGET * self.items ** 0.5) - 1.0) < self.least:
                return -1
        return self.best

    def offer(self, item, free, bin):
        value = self.cost(item, free, bin)
        if value < self.least:
            self.least = value
            self.best = bin

    def cost(self, item, free, bin):
        left = free - item
        value = 0.0
        value += self.waste[left]
        if free < self.capacity:
            value -= self.waste[free]
        crowd = 0.0
        if left > 0:
            crowd += CROWD * self.future(left) * (2 * self.bins.count(left) + 1)
        if free < self.capacity:
            crowd -= CROWD * self.future(free) * (2 * self.bins.count(free) - 1)
        return value + (self.items / (self.items + RIPE)) * crowd

    def on_packed(self, item, bin, opened):
        free = self.capacity if opened else self.bins.level(bin)
        self.bins.put(bin, free - item)
        self.items += 1
        roomy = free - item > self.capacity // 8
        if roomy and opened:
            self.waiting += 1
        elif not roomy and not opened and free > self.capacity // 8:
            self.waiting -= 1
        self.seen[item] += 1.0
        self.total += 1.0
        if self.items >= self.due:
            self.due = self.items + max(8, min(1000, self.items // 4))
            self.study()

    def study(self):
        for size in range(1, self.capacity + 1):
            self.missed[size] = math.exp(-PATIENCE * self.seen[size] / self.total)
        for gap in range(1, self.capacity + 1):
            chance = 1.0
            expected = 0.0
            for i in range(gap):
                level = self.order[i]
                rest = chance * self.missed[gap - level]
                expected += (chance - rest) * self.waste[level]
                chance = rest
                if chance < 0.001:
                    break
            expected += chance * gap / self.capacity
            self.waste[gap] = expected
            i = gap
            while i > 1 and self.waste[self.order[i - 1]] > expected:
                self.order[i] = self.order[i - 1]
                i -= 1
            self.order[i] = gap

    def future(self, free):
        return 1.0 - self.waste[free] * self.capacity / free
