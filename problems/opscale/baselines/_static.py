"""Static provisioning for the request rate of the past: whole replicas, never changed."""

import math

import numpy as np

PAST = 15  # where it stands in `glob`: 14 its peak over 10 s, 15 its 95th percentile over minutes
MARGIN = 1.0  # tune: 0.5..4.0
TTFT_SHARE = 0.5  # tune: 0.1..0.95
TBT_SHARE = 0.85  # tune: 0.4..1.0


def erlang_wait(servers, load, service):
    """Mean wait of an M/M/c queue (Erlang C); 1e9 if it has no end."""
    if servers <= load:
        return 1e9
    blocked = 1.0
    for i in range(1, servers + 1):
        blocked = load * blocked / (i + load * blocked)
    waits = blocked / (1.0 - load / servers * (1.0 - blocked))
    return waits * service / (servers - load)


class Policy:
    """Static provisioning for the request rate of the past: whole replicas, never changed."""

    def __init__(self, n_groups, interval, ttft_slo, tbt_slo):
        self.n_groups = n_groups
        self.interval = interval
        self.ttft_slo = ttft_slo
        self.tbt_slo = tbt_slo
        self.current = np.zeros(n_groups, dtype=np.int64)

    def control(self, t, glob, obs, prof):
        if t > 0.0:
            return
        for g in range(0, self.n_groups, 5):
            self.current[g] = self.whole(MARGIN * glob[PAST], glob, prof, g)

    def whole(self, rate, glob, prof, g):
        """Whole replicas of a phase for a request rate."""
        row = g * 12
        mean = glob[3]
        if prof[row + 10] > 0:
            context = max(glob[7], mean)
            share = TBT_SHARE * self.tbt_slo
            each = prof[row + 3] + prof[row + 2] * context
            room = max(0.1 * share, share - prof[row + 1])
            # Little's law: as many sequences as arrive while one is served at that pace.
            active = rate * glob[5] * share
            memory = active * (mean + glob[5]) / prof[row + 10]
            return math.ceil(max(active * each / room, memory))
        square = mean * mean * (1.0 + glob[4])
        busy = prof[row] * mean + prof[row + 2] * square
        service = prof[row + 3] * mean + prof[row + 2] * square
        load = rate * busy
        budget = max(0.05 * self.ttft_slo, TTFT_SHARE * self.ttft_slo - service)
        count = min(int(glob[12]), int(load / 0.97)) + 1
        while erlang_wait(count, load, busy) > budget and count < glob[12]:
            count += 1
        return count

    def replicas(self, group):
        return self.current[group]
