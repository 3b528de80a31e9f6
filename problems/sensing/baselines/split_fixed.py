"""Even spacing, a rate of its own for probes, CO2 and radio."""

PROBE = 6  # tune: 1..72 log
CO2 = 24  # tune: 3..288 log
RADIO = 72  # tune: 6..432 log


class Policy:
    """Even spacing, a rate of its own for probes, CO2 and radio."""

    def __init__(self, season_days, store_j, sleep_w, probe_j, co2_j, session_j, packet_j, panel_w):
        self.quiet = 0.0
        self.read = False
        self.send = 0

    def wake(self, tick, obs):
        self.read = obs[4] >= CO2
        self.quiet += obs[15]
        self.send = 0
        if self.quiet >= RADIO:
            self.quiet = 0.0
            self.send = 4096
        return PROBE

    def co2(self):
        return self.read

    def packets(self):
        return self.send
