import math
import numpy as np

PUSH = 0.374  # tune: 0.02..0.5 log
PART = 1.04  # tune: 0.7..1.1
GAIN = 1.36  # tune: 0.05..2.0 log
SIZE = 0.637  # tune: 0.1..0.7
RISE = 1.74  # tune: 0.3..2.0
ALPHA = 1.28  # tune: 1.0..4.0
FIRST = 0.0286  # tune: 0.02..0.3 log
AIM = 0.918  # tune: 0.75..1.0
DROP = 0.796  # tune: 0.3..0.9
INCH = 0.00702  # tune: 0.002..0.05 log
MEMORY = 5.44  # tune: 5.0..30.0 log
PERIOD = 5  # tune: 5..20 log
BAND = 0.839  # tune: 0.8..0.98


class Policy:
    """Size Excess Pushed: The busiest second of a minute is provided for, very much. The margin swells
    and shrinks by factors with the excess of throttling, very much."""

    def __init__(self, node_cores, slo_ms, n_services):
        self.core = -1.0
        self.seconds = np.zeros(60)
        self.second = 0.0
        self.calm = 0
        self.raised = 0
        self.held = 0.0
        self.margin = 0.5
        self.goal = FIRST
        self.slo_ms = slo_ms

    def local(self, tick, obs, usage, throttled, pos, target):
        limit = obs[0]
        self.held += (obs[1] - self.held) / MEMORY
        self.second += obs[4] / 10.0
        if tick % 10 == 9:
            self.seconds[tick // 10 % 60] = self.second
            self.second = 0.0
        held = self.held
        if tick >= self.calm and held > ALPHA * target:
            limit *= 1.0 + RISE * (held - ALPHA * target)
            self.calm = tick + 5
            self.raised = tick
        if tick % PERIOD == PERIOD - 1:
            limit = self.decide(limit, tick, obs, usage, throttled, pos, target)
        return limit

    def decide(self, limit, tick, obs, usage, throttled, pos, target):
        held = self.held
        most = min(1.5 * limit, 2.0 * np.max(usage))
        if self.core < 0.0 or self.core > most:
            self.core = most
        self.core = max(np.mean(usage), self.core * (1.0 + PUSH * (held - target)))
        level = self.core
        spread = 0.05 * level
        self.margin = min(50.0, max(0.01, self.margin * math.exp(GAIN * 0.1 * PERIOD * (held - target))))
        wanted = level + self.margin * spread
        wanted = max(wanted, PART * np.max(self.seconds))
        if BAND * wanted > limit:
            return wanted
        if wanted < BAND * limit and held <= ALPHA * target:
            return max(0.5 * limit, wanted)
        return limit

    def global_(self, minute, service, app, services, history, pos, cluster):
        if service == 0 and minute > 0:
            if app[4] > AIM * self.slo_ms:
                self.goal = min(0.6, max(0.002, DROP * self.goal))
            else:
                self.goal = min(0.6, max(0.002, self.goal + INCH))
        goal = self.goal
        used = services[7 * service]
        if app[7] > 0.0:
            goal *= min(5.0, max(0.2, (used * len(cluster) / app[7]) ** SIZE))
        return goal
