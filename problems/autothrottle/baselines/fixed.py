"""Fixed limits: over-provisioning."""

SHARE = 1.0  # tune: 0.01..1.0 log


class Policy:
    """Give every service the same limit, a share of a node's cores, whatever happens: all of them unless tuned."""

    def __init__(self, node_cores, slo_ms, n_services):
        self.limit = SHARE * node_cores

    def local(self, tick, obs, usage, throttled, pos, target):
        return self.limit
