"""Operator-level greedy with Erlang C per operator, after Cui et al. (arXiv 2511.02248) and OpScale (2608.13499)."""

import numpy as np

HEADROOM = 1.2  # tune: 0.3..2.5 log
TTFT_SHARE = 0.5  # tune: 0.1..0.95
TBT_SHARE = 0.85  # tune: 0.4..1.0
HOLD = 20.0  # tune: 2..300 log
FLOOR = 0.6  # tune: 0.0..6.0
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
    """Operator-level greedy with Erlang C per operator, after Cui et al. (arXiv 2511.02248) and OpScale (2608.13499)."""

    def __init__(self, n_groups, interval, ttft_slo, tbt_slo):
        self.n_groups = n_groups
        self.interval = interval
        self.ttft_slo = ttft_slo
        self.tbt_slo = tbt_slo
        self.current = np.zeros(n_groups, dtype=np.int64)
        self.waited = np.zeros(n_groups)
        self.most = np.zeros(n_groups, dtype=np.int64)
        self.size = np.ones(n_groups)
        self.need = np.zeros(n_groups, dtype=np.int64)
        self.busy = np.zeros(n_groups)
        self.load = np.zeros(n_groups)
        self.time = np.zeros(n_groups)
        self.least = np.zeros(n_groups, dtype=np.int64)

    def control(self, t, glob, obs, prof):
        rate = HEADROOM * max(glob[1], glob[2])
        if t == 0.0:
            self.sizes(prof)
            for first in range(0, self.n_groups, 5):
                self.pools(FLOOR * glob[15], 0.0, 0.0, glob, prof, first)
                for g in range(first, first + 5):
                    self.least[g] = self.need[g]
        for first in range(0, self.n_groups, 5):
            backlog = 0.0
            for g in range(first, first + 5):
                backlog = max(backlog, obs[g * 12 + 2])
            sequences = HEADROOM * (glob[6] + obs[first * 12 + 1])
            self.pools(rate, backlog, sequences, glob, prof, first)
            for g in range(first + 1, first + 5):
                self.hold(g, max(self.need[g], self.least[g]))

    def pools(self, rate, backlog, sequences, glob, prof, first):
        """Operator replicas of a phase, into ``self.need``: start from the load, add where it helps most for its price."""
        decode = prof[first * 12 + 10] > 0
        mean = glob[3]
        square = mean * mean * (1.0 + glob[4])
        context = max(glob[7], mean)
        active = max(sequences, rate * glob[5] * TBT_SHARE * self.tbt_slo)
        for g in range(first + 1, first + 5):
            row = g * 12
            if decode:
                self.need[g] = 1
                if prof[row + 10] > 0:
                    self.need[g] = 1 + int(active * (mean + glob[5]) / prof[row + 10])
            else:
                self.busy[g] = prof[row] * mean + prof[row + 2] * square
                self.load[g] = (
                    rate * self.busy[g] + backlog * (prof[row] + prof[row + 2] * square / mean) / DRAIN
                )
                self.need[g] = min(int(glob[12]), int(self.load[g] / 0.97)) + 1
        for _ in range(600):
            total = 0.0
            longest = 0.0
            held = 0.0
            for g in range(first + 1, first + 5):
                held += self.need[g] * self.size[g]
                self.time[g] = self.latency(g, self.need[g], active, context, decode, prof)
                total += self.time[g]
                longest = max(longest, self.time[g])
            if held >= glob[12]:
                return
            if decode and max(total, 2.0 * longest) <= TBT_SHARE * self.tbt_slo:
                return
            if not decode and total <= TTFT_SHARE * self.ttft_slo:
                return
            best = -1
            most = 0.002 * total
            for g in range(first + 1, first + 5):
                saved = self.time[g] - self.latency(g, self.need[g] + 1, active, context, decode, prof)
                # Of two taking turns only the longest counts.
                if decode and 2.0 * longest > total and self.time[g] < longest:
                    saved = 0.0
                gain = saved / self.size[g]
                if gain > most:
                    most = gain
                    best = g
            if best < 0:
                return
            self.need[best] += 1

    def latency(self, g, count, active, context, decode, prof):
        """Seconds that an operator adds to an iteration with so many replicas."""
        row = g * 12
        if not decode:
            return self.busy[g] + erlang_wait(count, self.load[g], self.busy[g])
        each = 0.5 * active / count
        time = prof[row + 1] + each * (prof[row] + prof[row + 2] * context)
        return time * prof[row + 8] / self.size[g]

    def sizes(self, prof):
        """GPUs of an operator replica: in decode as many as two half batches need to read its weights in time."""
        for first in range(0, self.n_groups, 5):
            for g in range(first, first + 5):
                self.size[g] = prof[g * 12 + 8]
            if prof[first * 12 + 10] == 0:
                continue
            for _ in range(8):
                total = 0.0
                longest = first + 1
                for g in range(first + 1, first + 5):
                    floor = prof[g * 12 + 1] * prof[g * 12 + 8] / self.size[g]
                    total += floor
                    if floor > prof[longest * 12 + 1] * prof[longest * 12 + 8] / self.size[longest]:
                        longest = g
                floor = prof[longest * 12 + 1] * prof[longest * 12 + 8] / self.size[longest]
                if max(total, 2.0 * floor) <= 0.7 * TBT_SHARE * self.tbt_slo or self.size[longest] >= 8.0:
                    break
                self.size[longest] = 2.0 * max(1.0, self.size[longest])

    def share(self, group):
        return int(8.0 * self.size[group])

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
