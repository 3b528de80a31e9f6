"""A vertical pod autoscaler: a high percentile of a decaying usage histogram, times a margin."""

import math

import numpy as np

PERCENTILE = 0.9  # tune: 0.5..1.0
MARGIN = 1.15  # tune: 1.0..6.0 log
HALF_LIFE = 1440.0  # tune: 5.0..1440.0 log
PERIOD = 600  # ticks of 100 ms: a minute
SMALLEST = 0.01
STEP = 1.05
BUCKETS = 170


class Policy:
    """Each minute add the mean usage to a histogram that forgets by half in a day; the limit is a percentile and more.

    The percentile of 90 % and the margin of 15 % are general knowledge about the recommender of Kubernetes' autoscaler,
    not read from a source. It sees nothing faster than a minute.
    """

    def __init__(self, node_cores, slo_ms, n_services):
        self.weights = np.zeros(BUCKETS)
        self.used = 0.0

    def local(self, tick, obs, usage, throttled, pos, target):
        self.used += obs[4]
        if tick % PERIOD < PERIOD - 1:
            return obs[0]
        mean = self.used / PERIOD
        self.used = 0.0
        self.remember(mean)
        return MARGIN * self.percentile()

    def remember(self, mean):
        decay = 0.5 ** (1.0 / HALF_LIFE)
        for i in range(BUCKETS):
            self.weights[i] *= decay
        bucket = 0
        if mean > SMALLEST:
            bucket = min(BUCKETS - 1, 1 + int(math.log(mean / SMALLEST) / math.log(STEP)))
        self.weights[bucket] += 1.0

    def percentile(self):
        wanted = PERCENTILE * np.sum(self.weights)
        below = 0.0
        for i in range(BUCKETS):
            below += self.weights[i]
            if below >= wanted:
                return SMALLEST * STEP**i
        return SMALLEST * STEP**BUCKETS
