"""Send-on-delta (Miskowicz 2006): CO2 is read, and data are sent, when temperature or moisture have changed enough."""

PROBE = 6  # tune: 1..36 log
DEGREES = 1.5  # tune: 0.3..6.0 log
MOISTURE = 0.015  # tune: 0.004..0.08 log
LONGEST = 144  # tune: 24..432 log
RADIO = 144  # tune: 12..432 log


class Policy:
    """Send-on-delta: CO2 is read when temperature or moisture have moved by a step since it last was."""

    def __init__(self, season_days, store_j, sleep_w, probe_j, co2_j, session_j, packet_j, panel_w):
        self.quiet = 0.0
        self.read = False
        self.send = 0
        self.temperature = -100.0
        self.moisture = -1.0

    def wake(self, tick, obs):
        moved = abs(obs[2] - self.temperature) >= DEGREES or abs(obs[0] - self.moisture) >= MOISTURE
        self.read = moved or obs[4] >= LONGEST
        if self.read:
            self.temperature = obs[2]
            self.moisture = obs[0]
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
