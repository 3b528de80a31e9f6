"""Dual prediction (DBP, Raza et al.): node and base share a line; the radio opens when moisture has left it for long."""

PROBE = 6  # tune: 1..36 log
CO2 = 24  # tune: 3..288 log
OFF = 0.01  # tune: 0.003..0.05 log
PATIENCE = 3  # tune: 1..12
HEARTBEAT = 144  # tune: 24..1008 log
LEARN = 0.1  # tune: 0.01..0.5 log


class Policy:
    """A line through the last model's end predicts moisture; a session is due when it fails several times running."""

    def __init__(self, season_days, store_j, sleep_w, probe_j, co2_j, session_j, packet_j, panel_w):
        self.quiet = 0.0
        self.read = False
        self.send = 0
        self.level = -1.0
        self.slope = 0.0
        self.recent = 0.0
        self.age = 0.0
        self.wrong = 0

    def wake(self, tick, obs):
        step = max(1.0, obs[15])
        self.recent += LEARN * ((obs[0] - obs[17]) / step - self.recent)
        self.age += step
        self.quiet += step
        if abs(self.level + self.slope * self.age - obs[0]) > OFF:
            self.wrong += 1
        else:
            self.wrong = 0
        self.send = 0
        if self.wrong >= PATIENCE or self.quiet >= HEARTBEAT:
            self.send = 4096
            self.quiet = 0.0
            self.wrong = 0
            self.level = obs[0]
            self.slope = self.recent
            self.age = 0.0
        self.read = obs[4] >= CO2
        return PROBE

    def co2(self):
        return self.read

    def packets(self):
        return self.send
