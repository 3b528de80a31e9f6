"""Captain at fixed targets: the local controller of Autothrottle (arXiv 2212.12180), constants as released."""

import math

import numpy as np

HIGH = 0.1  # tune: 0.0..0.3
REST = 0.1  # tune: 0.0..0.3
PERIODS = 10
ALPHA = 3.0
GATE = 0.9
FLOOR = 0.5
MARGIN = 3.0
LEAST = 0.01


class Policy:
    """Hold the share of throttled periods near a target, the same all the time for each of the two clusters.

    Once a second: down to the largest usage of 5 s plus a margin in standard deviations, at most by half; up in
    proportion to the excess if periods were throttled more than three times the target. The margin integrates the error.
    A cut is taken back, and more, as soon as it throttles too much.
    """

    def __init__(self, node_cores, slo_ms, n_services):
        self.limit = node_cores
        self.before = node_cores
        self.margin = MARGIN
        self.throttled = 0.0
        self.cut = False

    def local(self, tick, obs, usage, throttled, pos, target):
        self.throttled += obs[1]
        if self.cut and self.throttled / PERIODS > ALPHA * target:
            self.limit = self.before + (self.before - self.limit)
            self.margin += self.throttled / PERIODS - target
            self.throttled = 0.0
            self.cut = False
        if tick % PERIODS == PERIODS - 1:
            self.decide(usage, target)
        return self.limit

    def decide(self, usage, target):
        self.before = self.limit
        ratio = self.throttled / PERIODS
        self.margin = max(0.0, self.margin + (ratio - target))
        self.cut = False
        if ratio > ALPHA * target:
            self.limit *= 1.0 + ratio - ALPHA * target
        else:
            wanted = np.max(usage) + self.margin * deviation(usage)
            if wanted <= GATE * self.limit:
                self.limit = max(FLOOR * self.limit, wanted)
                self.cut = True
        self.throttled = 0.0
        self.limit = max(LEAST, self.limit)

    def global_(self, minute, service, app, services, history, pos, cluster):
        return HIGH if cluster[service] == 1 else REST


def deviation(samples):
    mean = np.mean(samples)
    squares = 0.0
    for sample in samples:
        squares += (sample - mean) ** 2
    return math.sqrt(squares / (len(samples) - 1))
