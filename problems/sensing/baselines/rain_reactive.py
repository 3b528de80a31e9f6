"""Rain-reactive sampling (Cardell-Oliver et al. 2005): slow in dry weather, quick for a while after a rain alert."""

DRY = 18  # tune: 3..144 log
WET = 2  # tune: 1..12 log
STORM = 36  # tune: 6..144 log
CO2 = 24  # tune: 3..288 log
CO2_WET = 12  # tune: 1..72 log
RADIO = 72  # tune: 6..432 log


class Policy:
    """Slow in dry weather; a rain alert, or a rise of moisture, makes it quick for some hours."""

    def __init__(self, season_days, store_j, sleep_w, probe_j, co2_j, session_j, packet_j, panel_w):
        self.quiet = 0.0
        self.storm = 0.0
        self.read = False
        self.send = 0

    def wake(self, tick, obs):
        self.storm = max(0.0, self.storm - obs[15])
        if obs[11] > 0.0 or obs[0] - obs[17] > 0.015:
            self.storm = float(STORM)
        wet = self.storm > 0.0
        self.read = obs[4] >= (min(CO2, CO2_WET) if wet else CO2)
        self.quiet += obs[15]
        self.send = 0
        if self.quiet >= RADIO:
            self.quiet = 0.0
            self.send = 4096
        return min(WET, DRY) if wet else DRY

    def listen(self):
        return True

    def co2(self):
        return self.read

    def packets(self):
        return self.send
