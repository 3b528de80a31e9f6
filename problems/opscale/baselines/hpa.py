"""Kubernetes' horizontal pod autoscaler: whole replicas by their busy fraction, every 15 s, down after 300 s."""

import math

import numpy as np

TARGET = 0.7  # tune: 0.1..0.95
SYNC = 15.0  # tune: 2..60 log
STABLE = 300.0  # tune: 2..600 log
TOLERANCE = 0.1  # tune: 0.0..0.3
LEAST = 1  # tune: 1..24 log


class Policy:
    """Wanted = replicas * busy / target; the largest recommendation of the stabilisation window counts."""

    def __init__(self, n_groups, interval, ttft_slo, tbt_slo):
        self.n_groups = n_groups
        self.interval = interval
        self.ttft_slo = ttft_slo
        self.tbt_slo = tbt_slo
        self.current = np.zeros(n_groups, dtype=np.int64)
        self.due = 0.0
        self.recommended = np.zeros((n_groups, 300), dtype=np.int64)
        self.busy = np.zeros(n_groups)
        self.seen = 0.0
        self.place = 0

    def control(self, t, glob, obs, prof):
        self.seen += 1.0
        for g in range(0, self.n_groups, 5):
            row = g * 12
            part = obs[row + 5]
            if prof[row + 10] > 0:
                # Decode is always busy: what fills up is the time between tokens that the SLO allows, or the memory.
                least = min(0.9, prof[row + 1] / self.tbt_slo)
                part = max((glob[9] - least) / (1.0 - least), obs[row + 11])
            elif obs[row + 1] > 0:
                part = max(part, 1.0)
            self.busy[g] += part
        if t < self.due:
            return
        self.due = t + SYNC
        self.place = (self.place + 1) % 300
        for g in range(0, self.n_groups, 5):
            part = self.busy[g] / self.seen
            self.busy[g] = 0.0
            wanted = max(LEAST, self.current[g])
            if abs(part / TARGET - 1.0) > TOLERANCE:
                wanted = min(2 * wanted + 4, math.ceil(wanted * part / TARGET))
            wanted = max(LEAST, min(int(glob[12]), wanted))
            self.recommended[g, self.place] = wanted
            for back in range(min(299, int(STABLE / SYNC)) + 1):
                wanted = max(wanted, self.recommended[g, (self.place - back) % 300])
            self.current[g] = wanted
        self.seen = 0.0

    def replicas(self, group):
        return self.current[group]
