"""Energy-neutral rates (after Kansal et al. 2007): spend what the sun gives, or what is left by what remains."""

KEEP = 0.95  # tune: 0.6..1.1
PROBES = 0.3  # tune: 0.05..0.7
SESSIONS = 0.12  # tune: 0.02..0.4


class Policy:
    """Even spacing whose rates follow from the joules a day that there are, in fixed shares."""

    def __init__(self, season_days, store_j, sleep_w, probe_j, co2_j, session_j, packet_j, panel_w):
        self.idle_j = 86400.0 * sleep_w
        self.record_j = probe_j + packet_j / 12.0
        self.co2_j = co2_j
        self.session_j = session_j
        self.solar = panel_w > 0.0
        self.quiet = 0.0
        self.read = False
        self.send = 0

    def spare(self, obs):
        """Joules a day to spend: what is left by what remains of the season, or what the sun gives."""
        daily = KEEP * obs[19] / max(1.0, obs[18])
        if self.solar:
            daily = KEEP * obs[9] + 0.3 * (obs[8] - 0.5) * obs[19]
        return max(0.02 * self.idle_j, daily - self.idle_j)

    def wake(self, tick, obs):
        spare = self.spare(obs)
        rest = max(0.05, 1.0 - PROBES - SESSIONS)
        self.read = obs[4] >= 144.0 * self.co2_j / (rest * spare) - 0.5
        self.quiet += obs[15]
        self.send = 0
        if self.quiet >= min(432.0, 144.0 * self.session_j / (SESSIONS * spare)):
            self.quiet = 0.0
            self.send = 4096
        return int(min(72.0, max(1.0, 144.0 * self.record_j / (PROBES * spare))))

    def co2(self):
        return self.read

    def packets(self):
        return self.send
