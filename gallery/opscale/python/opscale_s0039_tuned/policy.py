"""opscale policy s0039-tuned, Drain Burst Hot (tuned).

Written by MetaMuse; decides as the policy did in the simulator."""

from __future__ import annotations

import math


def _int64(x):
    """An integer cut to 64 bits, as machines do."""
    return (x + 9223372036854775808 & 18446744073709551615) - 9223372036854775808


def _to_int(x):
    """``int(x)``; NaN, infinities and what is beyond 64 bits are errors."""
    result = int(x)
    if not -9223372036854775808 <= result <= 9223372036854775807:
        raise OverflowError('a number beyond 64 bits cannot be an int')
    return result

BASE = 0.766  # tune: 0.3..1.2
SLOW = 227.3  # tune: 20.0..600.0 log
LINGER = 6.32  # tune: 2.0..120.0 log
WAIT = 0.04977  # tune: 0.02..0.8 log
BRACE = 0.2693  # tune: 0.05..1.0
WORTH = 1.802  # tune: 0.3..10.0 log
GOAL = 0.746  # tune: 0.3..0.95
GAIN = 0.005487  # tune: 0.002..0.1 log
DRAIN = 1.314  # tune: 0.3..20.0 log
READY = 0.7386  # tune: 0.1..1.2
PACE = 0.8475  # tune: 0.6..0.98


class Policy:
    """Drain Burst Hot: Servers are counted as at a telephone exchange, so that waits clearly stay within
    their budget. The walls are raised clearly towards the highest flood known."""

    def __init__(self, n_groups, interval, ttft_slo, tbt_slo):
        self.n_groups = n_groups
        self.interval = interval
        self.ttft_slo = ttft_slo
        self.tbt_slo = tbt_slo
        self.target = [0.0] * n_groups
        self.average = [0.0] * n_groups
        self.factor = [0.0] * n_groups

    def control(self, t, glob, obs, prof):
        rate = max(glob[1], glob[2])
        for first in range(0, self.n_groups, 5):
            decode = prof[12 * first + 10] > 0
            if self.average[first] == 0.0:
                self.average[first] = glob[2]
            self.average[first] += self.interval / SLOW * (rate - self.average[first])
            part = BASE * self.average[first] / rate if rate > self.average[first] else BASE
            self.plan(first, rate, part if not decode else 1.0, glob, obs, prof)
            load = self.load(first, rate, 0.0, glob, prof)
            lack = load - obs[12 * first + 6]
            queued = max(obs[12 * first + 2], obs[12 * first + 14])
            lack += queued * prof[12 * first] / self.ttft_slo
            extra = 0.0
            if not decode and lack > 0:
                extra = lack * prof[12 * first + 8] / prof[12 * first + 56]
            self.ease(first + 4, extra)

    def plan(self, g, rate, part, glob, obs, prof):
        row = 12 * g
        load = part * self.load(g, rate, glob[6] + obs[row + 1], glob, prof)
        want = load
        if prof[row + 10] == 0 and load > 0.0:
            service = prof[row + 3] * glob[3] + prof[row + 2] * glob[3] * glob[3]
            want = max(want, self.erlang(min(load, 1000.0), service, WAIT * self.ttft_slo))
        peak = part * self.load(g, glob[14], 0.0, glob, prof)
        if peak > want:
            want += BRACE * prof[row + 6] / (prof[row + 6] + 5.0) * (peak - want)
        if prof[row + 10] == 0:
            want += obs[row + 2] * (prof[row] + prof[row + 2] * glob[3] * (1.0 + glob[4])) / DRAIN
        tail = glob[9] if prof[row + 10] > 0 else glob[8]
        if tail > 0.0:
            self.factor[g] += GAIN * (min(tail, 2.0) - GOAL)
            self.factor[g] = min(1.0, max(-0.3, self.factor[g]))
        want *= 1.0 + self.factor[g]
        if prof[row + 6] > 5.0:
            want = max(want, part * READY * self.load(g, glob[14], 0.0, glob, prof))
        last = self.target[g]
        want = max(want, last * math.exp(-self.interval / (2.0 + WORTH * prof[row + 6])))
        self.target[g] = min(want, 4000.0)

    def load(self, g, rate, active, glob, prof):
        row = 12 * g
        mean = glob[3]
        if prof[row + 10] > 0:
            share = PACE * self.tbt_slo
            active = max(active, rate * glob[5] * share)
            room = max(0.1 * share, share - prof[row + 1])
            memory = active * (mean + glob[5]) / prof[row + 10]
            return max(active * (prof[row + 3] + prof[row + 2] * max(mean, glob[7])) / room, memory)
        return rate * (prof[row] * mean + prof[row + 2] * mean * mean * (1.0 + glob[4]))

    def replicas(self, group):
        return int(_to_int(math.ceil(self.target[group] - 1e-09)))

    def ease(self, g, want):
        self.target[g] = max(want, self.target[g] * math.exp(-self.interval / LINGER))
        if self.target[g] < 0.5 and want <= 0.0:
            self.target[g] = 0.0

    def erlang(self, load, service, budget):
        servers = _int64(_to_int(load) + 1)
        blocked = 1.0
        for i in range(1, servers):
            blocked = load * blocked / (i + load * blocked)
        for _ in range(64):
            blocked = load * blocked / (servers + load * blocked)
            waits = blocked / (1.0 - load / servers * (1.0 - blocked))
            if float(servers) > load and waits * service <= budget * (servers - load):
                break
            servers = _int64(servers + 1)
        return float(servers)
