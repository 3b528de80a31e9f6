"""Volatility-adaptive: CO2 is read the more often the more its own readings move; bursts after wet-ups."""

KEEP = 0.95  # tune: 0.6..1.1
PROBES = 0.3  # tune: 0.05..0.7
SESSIONS = 0.12  # tune: 0.02..0.4
POWER = 0.7  # tune: 0.0..1.5
LEARN = 0.15  # tune: 0.02..0.5 log
BURST = 12  # tune: 0..72
QUICK = 2  # tune: 1..12 log


class Policy:
    """The interval of CO2 is that of the energy there is, by its volatility against its own long mean to a power."""

    def __init__(self, season_days, store_j, sleep_w, probe_j, co2_j, session_j, packet_j, panel_w):
        self.idle_j = 86400.0 * sleep_w
        self.record_j = probe_j + packet_j / 12.0
        self.co2_j = co2_j
        self.session_j = session_j
        self.solar = panel_w > 0.0
        self.quiet = 0.0
        self.burst = 0.0
        self.seen = -1.0
        self.volatile = 0.0
        self.usual = 0.0
        self.pace = 1.0
        self.fresh = False
        self.read = False
        self.send = 0

    def wake(self, tick, obs):
        # Joules a day to spend: what is left by what remains of the season, or what the sun gives.
        daily = KEEP * obs[19] / max(1.0, obs[18])
        if self.solar:
            daily = KEEP * obs[9] + 0.3 * (obs[8] - 0.5) * obs[19]
        spare = max(0.02 * self.idle_j, daily - self.idle_j)
        if self.fresh:
            if self.seen >= 0.0:
                moved = abs(obs[3] - self.seen) / max(0.3, abs(self.seen))
                self.volatile += LEARN * (moved - self.volatile)
                self.usual += 0.2 * LEARN * (moved - self.usual)
                if self.volatile > 1e-6 and self.usual > 1e-6:
                    self.pace = min(3.0, max(0.33, self.usual / self.volatile)) ** POWER
                else:
                    self.pace = 1.0
            self.seen = obs[3]
            self.fresh = False
        if obs[0] - obs[17] > 0.015:
            self.burst = float(BURST)
        rest = max(0.05, 1.0 - PROBES - SESSIONS)
        self.read = obs[4] >= 144.0 * self.co2_j / (rest * spare) * self.pace - 0.5
        if self.read:
            self.fresh = True
        self.quiet += obs[15]
        self.send = 0
        if self.quiet >= min(432.0, 144.0 * self.session_j / (SESSIONS * spare)):
            self.quiet = 0.0
            self.send = 4096
        base = int(min(72.0, max(1.0, 144.0 * self.record_j / (PROBES * spare))))
        if self.burst > 0.0:
            self.burst -= 1.0
            return min(base, QUICK)
        return base

    def co2(self):
        return self.read

    def packets(self):
        return self.send
