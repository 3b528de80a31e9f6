class Policy:
    """Bad on purpose, to show that the metric notices: every service gets a hundredth of a core."""

    def __init__(self, node_cores, slo_ms, n_services):
        self.limit = 0.01

    def local(self, tick, obs, usage, throttled, pos, target):
        return self.limit
