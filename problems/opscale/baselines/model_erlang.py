"""Model-level Erlang-C planner: each phase's whole replicas from its own load; the load delay is the scenario's."""

import math

import numpy as np

HEADROOM = 1.2  # tune: 0.3..2.5 log
TTFT_SHARE = 0.5  # tune: 0.1..0.95
TBT_SHARE = 0.85  # tune: 0.4..1.0
HOLD = 60.0  # tune: 2..600 log
FLOOR = 1.0  # tune: 0.0..6.0
DRAIN = 4.0  # tune: 0.5..20 log


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
    """Model-level Erlang-C planner: each phase's whole replicas from its own load; the load delay is the scenario's."""

    def __init__(self, n_groups, interval, ttft_slo, tbt_slo):
        self.n_groups = n_groups
        self.interval = interval
        self.ttft_slo = ttft_slo
        self.tbt_slo = tbt_slo
        self.current = np.zeros(n_groups, dtype=np.int64)
        self.waited = np.zeros(n_groups)
        self.most = np.zeros(n_groups, dtype=np.int64)

    def control(self, t, glob, obs, prof):
        rate = HEADROOM * max(glob[1], glob[2])
        for g in range(0, self.n_groups, 5):
            sequences = HEADROOM * (glob[6] + obs[g * 12 + 1])
            wanted = self.whole(rate, obs[g * 12 + 2], sequences, glob, prof, g)
            least = math.ceil(FLOOR * self.whole(glob[15], 0.0, 0.0, glob, prof, g))
            self.hold(g, max(wanted, least))

    def whole(self, rate, backlog, sequences, glob, prof, g):
        """Whole replicas of a phase for a request rate, queued tokens (prefill) or active sequences (decode)."""
        row = g * 12
        mean = glob[3]
        if prof[row + 10] > 0:
            context = max(glob[7], mean)
            share = TBT_SHARE * self.tbt_slo
            each = prof[row + 3] + prof[row + 2] * context
            room = max(0.1 * share, share - prof[row + 1])
            # Little's law: as many sequences as arrive while one is served at that pace.
            active = max(sequences, rate * glob[5] * share)
            memory = active * (mean + glob[5]) / prof[row + 10]
            return math.ceil(max(active * each / room, memory))
        square = mean * mean * (1.0 + glob[4])
        busy = prof[row] * mean + prof[row + 2] * square
        service = prof[row + 3] * mean + prof[row + 2] * square
        load = rate * busy + backlog * prof[row] / DRAIN
        budget = max(0.05 * self.ttft_slo, TTFT_SHARE * self.ttft_slo - service)
        count = min(int(glob[12]), int(load / 0.97)) + 1
        while erlang_wait(count, load, busy) > budget and count < glob[12]:
            count += 1
        return count

    def hold(self, g, wanted):
        """Up at once; down to the most that was wanted, after HOLD seconds of wanting less."""
        if wanted >= self.current[g]:
            self.current[g] = wanted
            self.waited[g] = 0.0
            self.most[g] = 0
            return
        self.waited[g] += self.interval
        self.most[g] = max(self.most[g], wanted)
        if self.waited[g] >= HOLD:
            self.current[g] = self.most[g]
            self.waited[g] = 0.0
            self.most[g] = 0

    def replicas(self, group):
        return self.current[group]
