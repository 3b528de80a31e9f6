"""One rate for everything, as the network was run: every ten to twenty minutes with cheap probes alone."""

EVERY = 12  # tune: 1..144 log
RADIO = 144  # tune: 6..432 log


class Policy:
    """One rate for everything, as the network was run: every ten to twenty minutes with cheap probes alone."""

    def __init__(self, season_days, store_j, sleep_w, probe_j, co2_j, session_j, packet_j, panel_w):
        self.quiet = 0.0
        self.send = 0

    def wake(self, tick, obs):
        self.quiet += obs[15]
        self.send = 0
        if self.quiet >= RADIO:
            self.quiet = 0.0
            self.send = 4096
        return EVERY

    def co2(self):
        return True

    def packets(self):
        return self.send
