LOOK = 3.67  # tune: 1.0..12.0 log
TELL = 6.12  # tune: 6.0..144.0 log
MOST = 0.357  # tune: 0.15..0.75
TALK = 0.15  # tune: 0.05..0.4
NEWS = 7.78  # tune: 6.0..72.0 log
RESERVE = 0.0818  # tune: 0.01..0.15
FLOOR = 3.99  # tune: 2.0..9.0 log
CALM = 606.0  # tune: 100.0..800.0 log
LONGER = 2.94  # tune: 1.0..3.0
POWER = 0.233  # tune: 0.0..1.0
LEARN = 0.263  # tune: 0.03..0.5 log
KEEP = 0.948  # tune: 0.7..1.05
HOLD = 0.234  # tune: 0.1..0.6


class Policy:
    """News Volatility Watchful: News of a wet-up travels a little fast. Clearly is kept for bad days."""

    def __init__(self, season_days, store_j, sleep_w, probe_j, co2_j, session_j, packet_j, panel_w):
        self.co2_j = co2_j
        self.session_j = session_j
        self.idle_j = 86400.0 * sleep_w
        self.record_j = probe_j + packet_j / 12.0
        self.season = season_days
        self.solar = panel_w > 0.0
        self.quiet = 0.0
        self.read = False
        self.send = 0
        self.told = 0.0
        self.dry = 0.0
        self.seen = -1.0
        self.moved = 0.0
        self.fresh = False
        self.volatile = 0.0
        self.usual = 0.0

    def wake(self, tick, obs):
        step = max(1.0, obs[15])
        self.dry = 0.0 if obs[0] - obs[17] > 0.015 else self.dry + step
        self.fresh = obs[15] >= obs[4] and obs[4] < 100000.0
        if self.fresh:
            self.moved = abs(obs[3] - self.seen) / max(0.3, abs(self.seen)) if self.seen >= 0.0 else 0.0
            self.seen = obs[3]
        if self.fresh:
            self.volatile += LEARN * (self.moved - self.volatile)
            self.usual += 0.2 * LEARN * (self.moved - self.usual)
        daily = KEEP * obs[19] / max(1.0, obs[18])
        if self.solar:
            daily = KEEP * obs[9] + HOLD * (obs[8] - 0.5) * obs[19]
        daily *= 1.0 - RESERVE
        spare = max(0.02 * self.idle_j, daily - self.idle_j)
        probe = max(LOOK, 144.0 * self.record_j / (MOST * spare))
        radio = max(TELL, 144.0 * self.session_j / (TALK * spare))
        apart = 144.0 * self.co2_j
        apart /= max(0.1 * spare, spare - 144.0 * (self.record_j / probe + self.session_j / radio))
        if self.volatile > 1e-6 and self.usual > 1e-6:
            apart *= min(3.0, max(0.33, self.usual / self.volatile)) ** POWER
        probe = max(FLOOR, probe)
        if self.dry > CALM:
            probe *= LONGER
        self.read = obs[4] >= apart - 0.5
        self.quiet += step
        most = 4096
        self.told += obs[0] - obs[17]
        if self.told > 0.03:
            radio = min(radio, NEWS)
        if self.quiet >= radio:
            self.told = 0.0
        self.send = 0
        if self.quiet >= min(432.0, radio):
            self.quiet = 0.0
            self.send = most
        return int(min(144.0, max(1.0, probe)))

    def co2(self):
        return self.read

    def packets(self):
        return self.send
