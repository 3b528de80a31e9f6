"""Reads CO2 at every chance and reports once a week."""


class Policy:
    """Bad on purpose: it shows the check which way is up."""

    def __init__(self, season_days, store_j, sleep_w, probe_j, co2_j, session_j, packet_j, panel_w):
        self.quiet = 0.0
        self.send = 0

    def wake(self, tick, obs):
        self.quiet += obs[15]
        self.send = 0
        if self.quiet >= 1008:
            self.quiet = 0.0
            self.send = 4096
        return 3

    def co2(self):
        return True

    def packets(self):
        return self.send
