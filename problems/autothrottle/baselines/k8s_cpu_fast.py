"""K8s-CPU-Fast: the utilisation rule every second (arXiv 2212.12180, baseline)."""

import numpy as np

T = 0.5  # tune: 0.1..0.9
SYNC = 10  # ticks of 100 ms: 1 s
KEPT = 20  # recommendations: 20 s


class Policy:
    """Every second recommend the mean usage over the target utilisation; the limit is the largest of 20 s.

    K8s-CPU with a period and a stabilisation window that are 15 times shorter.
    """

    def __init__(self, node_cores, slo_ms, n_services):
        self.recommended = np.zeros(KEPT)
        self.used = 0.0

    def local(self, tick, obs, usage, throttled, pos, target):
        self.used += obs[4]
        if tick % SYNC < SYNC - 1:
            return obs[0]
        self.recommended[tick // SYNC % KEPT] = self.used / SYNC / T
        self.used = 0.0
        return np.max(self.recommended)
