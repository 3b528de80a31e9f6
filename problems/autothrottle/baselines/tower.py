"""Tower: the global controller of Autothrottle (arXiv 2212.12180), with a fast model in the place of its own."""

import numpy as np

from metamuse.policykit import Rng

EPSILON = 0.0
LEARNING_EPSILON = 0.1
NEAR_LOAD = 1.0  # tune: 0.3..5.0 log
NEAR_TARGET = 1.0  # tune: 0.3..5.0 log
TARGETS = (0.0, 0.02, 0.04, 0.06, 0.10, 0.15, 0.20, 0.25, 0.30)
N = 9
MIDDLE = 40
BIN = 0.05
ROOM = 2048

# Samples of the warm-up by the objective: action, requests/s, P99 in ms, tenths of cores (benchmarks/autothrottle_warm_up.py).
WARM_200 = (0,)
WARM_100 = (0,)
WARM_1000 = (0,)


class Policy:
    """A contextual bandit chooses a pair of throttle targets each minute, from the load; Captain follows them.

    The cost of a minute is its allocation, 0 to 1, if it met the objective, else 2 to 3 by its P99. The costs of equal
    actions at about equal loads are reduced to their median; an action is expected to cost the mean over these medians,
    the more a median counts the closer its load and targets are. The paper's bandit trains a small neural network
    instead. It starts from the samples of a warm-up, and then does not explore; without them it explores a little.
    """

    def __init__(self, node_cores, slo_ms, n_services):
        self.slo_ms = slo_ms
        self.action = MIDDLE
        self.load = 0.0
        self.n = 0
        self.oldest = 0
        self.largest = 0.0
        self.low = np.zeros(2)
        self.high = np.zeros(2)
        self.actions = np.zeros(ROOM, dtype=np.int64)
        self.loads = np.zeros(ROOM)
        self.p99 = np.zeros(ROOM)
        self.cores = np.zeros(ROOM)
        self.costs = np.zeros(ROOM)
        self.medians = np.zeros(ROOM)
        self.keys = np.zeros(ROOM, dtype=np.int64)
        self.order = np.arange(ROOM)
        self.first = np.zeros(ROOM, dtype=np.int64)
        self.n_groups = 0
        self.rng = Rng(1)
        if slo_ms == 200.0:
            self.remember(np.array(WARM_200))
        elif slo_ms == 100.0:
            self.remember(np.array(WARM_100))
        elif slo_ms == 1000.0:
            self.remember(np.array(WARM_1000))
        self.epsilon = EPSILON if self.n > 0 else LEARNING_EPSILON

    def remember(self, warm):
        for k in range(len(warm) // 4):
            self.sample(warm[4 * k], float(warm[4 * k + 1]), float(warm[4 * k + 2]), warm[4 * k + 3] / 10)

    def sample(self, action, load, p99, cores):
        k = self.n
        if k == ROOM:
            k = self.oldest
            self.oldest = (k + 1) % ROOM
        else:
            self.n += 1
        self.actions[k] = action
        self.loads[k] = load
        self.largest = max(self.largest, load)
        self.p99[k] = p99
        self.cores[k] = cores

    def global_(self, minute, service, app, services, history, pos, cluster):
        if service == 0:
            if minute > 0 and self.load > 0.0:
                self.sample(self.action, self.load, app[4], app[6])
            self.load = app[0]
            if minute > 0 and self.n > 0:
                self.act()
        row = self.action // N if cluster[service] == 1 else self.action % N
        return TARGETS[row]

    def act(self):
        width = max(1.0, BIN * self.largest)
        self.price()
        self.group(width)
        self.action = self.best(width)
        if self.epsilon > 0.0 and self.rng.uniform() < self.epsilon:
            self.action = self.neighbour()

    def price(self):
        """Costs of all samples."""
        self.low[:] = np.inf
        self.high[:] = 0.0
        for k in range(self.n):
            bad = self.bad(k)
            self.low[bad] = min(self.low[bad], self.excess(k, bad))
            self.high[bad] = max(self.high[bad], self.excess(k, bad))
        for k in range(self.n):
            bad = self.bad(k)
            spread = self.high[bad] - self.low[bad]
            share = (self.excess(k, bad) - self.low[bad]) / spread if spread > 0.0 else 0.5
            self.costs[k] = 2.0 * bad + share

    def bad(self, k):
        return 1 if self.p99[k] > self.slo_ms else 0

    def excess(self, k, bad):
        """What is too much: milliseconds if the objective was missed, else cores."""
        return self.p99[k] if bad == 1 else self.cores[k]

    def group(self, width):
        """Medians of the costs, by action and load."""
        for k in range(self.n):
            self.keys[k] = self.actions[k] + (N * N) * round(self.loads[k] / width)
        self.sort()
        self.n_groups = 0
        start = 0
        while start < self.n:
            end = start + 1
            while end < self.n and self.keys[self.order[end]] == self.keys[self.order[start]]:
                end += 1
            left = self.order[(start + end - 1) // 2]
            right = self.order[(start + end) // 2]
            self.first[self.n_groups] = left
            self.medians[self.n_groups] = 0.5 * (self.costs[left] + self.costs[right])
            self.n_groups += 1
            start = end

    def sort(self):
        """Order the samples by group and cost; nearly sorted already, as few change places from minute to minute."""
        for i in range(1, self.n):
            moving = self.order[i]
            j = i - 1
            while j >= 0 and self.after(self.order[j], moving):
                self.order[j + 1] = self.order[j]
                j -= 1
            self.order[j + 1] = moving

    def after(self, one, other):
        if self.keys[one] != self.keys[other]:
            return self.keys[one] > self.keys[other]
        return self.costs[one] > self.costs[other]

    def best(self, width):
        """The action that is expected to cost least at the present load."""
        found = MIDDLE
        least = np.inf
        for action in range(N * N):
            total = 0.0
            weights = 0.0
            for g in range(self.n_groups):
                s = self.first[g]
                far = (round(self.loads[s] / width) - self.load / width) / NEAR_LOAD
                rows = (self.actions[s] // N - action // N) / NEAR_TARGET
                columns = (self.actions[s] % N - action % N) / NEAR_TARGET
                weight = 1.0 / (1.0 + far * far + rows * rows + columns * columns) ** 3
                total += weight * self.medians[g]
                weights += weight
            if total / weights < least:
                least = total / weights
                found = action
        return found

    def neighbour(self):
        """One of the up to four neighbours in the grid of targets."""
        row = self.action // N
        column = self.action % N
        while True:
            side = self.rng.below(4)
            if side == 0 and row > 0:
                return self.action - N
            if side == 1 and row < N - 1:
                return self.action + N
            if side == 2 and column > 0:
                return self.action - 1
            if side == 3 and column < N - 1:
                return self.action + 1
