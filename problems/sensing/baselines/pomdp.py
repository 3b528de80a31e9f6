"""POMDP-style scheduling (after Shuman et al. 2010): beliefs widen with time, readings narrow them, joules have a price."""

import math

KEEP = 0.95  # tune: 0.6..1.1
LEARN = 0.1  # tune: 0.01..0.5 log
WORTH = 1.0  # tune: 0.1..10 log
SESSIONS = 0.12  # tune: 0.02..0.4
SPREAD = 0.5  # tune: 0.1..2.0 log


class Policy:
    """Variance of moisture and of flux grows by a learned rate a tick; one price of energy sets both intervals.

    The mean variance between readings ``d`` ticks apart is ``rate * d / 2``, their cost ``price * joules / d``: least at
    ``d = sqrt(2 * price * joules / rate)``. The price makes the sum of both costs what there is to spend.
    """

    def __init__(self, season_days, store_j, sleep_w, probe_j, co2_j, session_j, packet_j, panel_w):
        self.idle_j = 86400.0 * sleep_w
        self.record_j = probe_j + packet_j / 12.0
        self.co2_j = co2_j
        self.session_j = session_j
        self.solar = panel_w > 0.0
        self.quiet = 0.0
        self.flux = -1.0
        self.moisture_rate = 2e-5
        self.flux_rate = 2e-3
        self.since = 0.0
        self.fresh = False
        self.read = False
        self.send = 0

    def spare(self, obs):
        """Joules a day to spend: what is left by what remains of the season, or what the sun gives."""
        daily = KEEP * obs[19] / max(1.0, obs[18])
        if self.solar:
            daily = KEEP * obs[9] + 0.3 * (obs[8] - 0.5) * obs[19]
        return max(0.02 * self.idle_j, daily - self.idle_j)

    def wake(self, tick, obs):
        step = max(1.0, obs[15])
        change = (obs[0] - obs[17]) / 0.03
        self.moisture_rate += LEARN * (max(0.0, change * change - 0.03) / step - self.moisture_rate)
        self.moisture_rate = max(1e-5, self.moisture_rate)
        if self.fresh:
            if self.flux >= 0.0:
                change = (obs[3] - self.flux) / (SPREAD * max(0.5, self.flux))
                self.flux_rate += LEARN * (change * change / max(1.0, self.since) - self.flux_rate)
                self.flux_rate = max(1e-4, self.flux_rate)
            self.flux = obs[3]
            self.fresh = False
        spend = (1.0 - SESSIONS) * self.spare(obs) / 144.0
        a = math.sqrt(2.0 * self.record_j / (WORTH * self.moisture_rate))
        b = math.sqrt(2.0 * max(1e-9, self.co2_j) / self.flux_rate)
        # With root prices p, intervals p * a and p * b cost (record_j / a + co2_j / b) / p a tick.
        price = (self.record_j / a + self.co2_j / b) / spend
        self.read = obs[4] >= price * b - 0.5
        if self.read:
            self.since = obs[4]
            self.fresh = True
        self.quiet += step
        self.send = 0
        if self.quiet >= min(432.0, 144.0 * self.session_j / (SESSIONS * self.spare(obs))):
            self.quiet = 0.0
            self.send = 4096
        return int(min(72.0, max(1.0, price * a, 0.0)))

    def co2(self):
        return self.read

    def packets(self):
        return self.send
