import math
import numpy as np

AHEAD = 3.81  # tune: 2.0..40.0 log
TIMES = 5  # tune: 2..8
PERIOD = 1  # tune: 1..5 log
SHOVE = 0.641  # tune: 0.2..2.0 log
GAIN = 0.0811  # tune: 0.05..2.0 log
FIRST = 0.113  # tune: 0.02..0.3 log
AIM = 0.781  # tune: 0.75..1.0
PULL = 3.34  # tune: 0.2..4.0 log
MEMORY = 7.23  # tune: 5.0..30.0 log
ALPHA = 1.2  # tune: 1.0..4.0
BAND = 0.908  # tune: 0.8..0.98


class Policy:
    """Sure Time Trend: A cut has to be voted for several times in a row. Decisions come many times a
    second, with a short while between them."""

    def __init__(self, node_cores, slo_ms, n_services):
        self.low = 0
        self.calm = 0
        self.raised = 0
        self.held = 0.0
        self.margin = 2.5
        self.goal = FIRST
        self.slo_ms = slo_ms

    def local(self, tick, obs, usage, throttled, pos, target):
        limit = obs[0]
        self.held += (obs[1] - self.held) / MEMORY
        held = self.held
        if tick >= self.calm and held > target and obs[3] > 10.0:
            limit *= 1.0 + SHOVE * min(1.0, obs[3] / 100.0)
            self.calm = tick + 5
            self.raised = tick
        if tick % PERIOD == PERIOD - 1:
            limit = self.decide(limit, tick, obs, usage, throttled, pos, target)
        return limit

    def decide(self, limit, tick, obs, usage, throttled, pos, target):
        held = self.held
        slope = 0.0
        for i in range(50):
            slope += (i - 24.5) * usage[(pos + 1 + i) % 50]
        slope /= 10412.5
        level = np.mean(usage) + max(0.0, slope) * (24.5 + AHEAD)
        spread = np.std(usage)
        self.margin = min(50.0, max(0.01, self.margin * math.exp(GAIN * 0.1 * PERIOD * (held - target))))
        wanted = level + self.margin * spread
        self.low = self.low + 1 if wanted < limit else 0
        if BAND * wanted > limit:
            return wanted
        if wanted < BAND * limit and held <= ALPHA * target and self.low >= TIMES:
            return max(0.5 * limit, wanted)
        return limit

    def global_(self, minute, service, app, services, history, pos, cluster):
        if service == 0 and minute > 0:
            self.goal = min(0.6, max(0.002, self.goal * math.exp(PULL * max(-2.0, AIM - app[4] / self.slo_ms))))
        return self.goal
