"""K8s-CPU: the utilisation rule of Kubernetes' autoscaler, made vertical (arXiv 2212.12180, baseline)."""

import numpy as np

T = 0.5  # tune: 0.1..0.9
SYNC = 150  # ticks of 100 ms: 15 s
KEPT = 20  # recommendations: 300 s


class Policy:
    """Every 15 s recommend the mean usage over the target utilisation; the limit is the largest of 300 s.

    The period and the stabilisation window are the defaults of the horizontal autoscaler. The target is the same for
    all services.
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
