"""Threshold on tokens: whole replicas for so many tokens a second each (prefill), so many sequences (decode)."""

import math

import numpy as np

PREFILL_SHARE = 0.6  # tune: 0.05..1.0 log
DECODE_SEQUENCES = 64.0  # tune: 8..256 log
LEAST = 1  # tune: 1..24 log
HOLD = 60.0  # tune: 2..600 log


class Policy:
    """Replicas = tokens arriving and waiting / what a replica may be given (as Dynamo's load thresholds do)."""

    def __init__(self, n_groups, interval, ttft_slo, tbt_slo):
        self.n_groups = n_groups
        self.interval = interval
        self.ttft_slo = ttft_slo
        self.tbt_slo = tbt_slo
        self.current = np.zeros(n_groups, dtype=np.int64)
        self.waited = np.zeros(n_groups)
        self.most = np.zeros(n_groups, dtype=np.int64)

    def control(self, t, glob, obs, prof):
        for g in range(0, self.n_groups, 5):
            row = g * 12
            if prof[row + 10] > 0:
                wanted = (glob[6] + obs[row + 1]) / DECODE_SEQUENCES
            else:
                tokens = max(glob[1], glob[2]) * glob[3] + obs[row + 2] / self.ttft_slo
                wanted = tokens * prof[row] / PREFILL_SHARE
            self.hold(g, max(LEAST, min(int(glob[12]), math.ceil(wanted))))

    def hold(self, g, wanted):
        """Up at once; down to the most that was wanted, after HOLD seconds of wanting less."""
        if wanted >= self.current[g]:
            self.current[g] = wanted
            self.waited[g] = 0.0
            self.most[g] = 0
            return
        self.waited[g] += self.interval
        self.most[g] = max(self.most[g], wanted)
        if self.waited[g] >= HOLD:
            self.current[g] = self.most[g]
            self.waited[g] = 0.0
            self.most[g] = 0

    def replicas(self, group):
        return self.current[group]
