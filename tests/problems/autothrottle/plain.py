"""The baselines' laws in plain Python, each written from the formulas of its source, to compare the policies with."""

from __future__ import annotations

import itertools
import statistics
from collections import deque
from collections.abc import Callable


class Captain:
    """Captain of Autothrottle: throttled periods as a sliding window of 10 that is set to zero at each reset."""

    def __init__(self, cores: float) -> None:
        self.q = self.q_last = cores
        self.m = 3.0
        self.h = deque([0.0] * 50, maxlen=50)
        self.window = deque([0.0] * 10, maxlen=10)
        self.d = False
        self.k = 0

    def __call__(self, used: float, throttled: float, theta: float) -> float:
        self.window.append(throttled)
        self.h.append(used)
        r = sum(self.window) / 10
        if self.d and r > 3 * theta:
            self.q = self.q_last + (self.q_last - self.q)
            self.m = self.m + (r - theta)
            self.window = deque([0.0] * 10, maxlen=10)
            self.d = False
        self.k += 1
        if self.k % 10 == 0:
            self.q_last = self.q
            r = sum(self.window) / 10
            self.m = max(0.0, self.m + (r - theta))
            self.d = False
            if r > 3 * theta:
                self.q = self.q * (1 + r - 3 * theta)
            else:
                p = max(self.h) + self.m * statistics.stdev(self.h)
                if p <= 0.9 * self.q:
                    self.q = max(0.5 * self.q, p)
                    self.d = True
            self.window = deque([0.0] * 10, maxlen=10)
            self.q = max(0.01, self.q)
        return self.q


class Utilisation:
    """K8s-CPU: every m ticks the mean usage over T; the limit is the largest of the last 20."""

    def __init__(self, cores: float, m: int, target: float) -> None:
        self.limit = cores
        self.m = m
        self.target = target
        self.samples: list[float] = []
        self.recs: deque[float] = deque(maxlen=20)

    def __call__(self, used: float, throttled: float, theta: float) -> float:
        self.samples.append(used)
        if len(self.samples) == self.m:
            self.recs.append(statistics.fmean(self.samples) / self.target)
            self.samples = []
            self.limit = max(self.recs)
        return self.limit


class Vertical:
    """A vertical autoscaler that keeps all minutes instead of a histogram."""

    def __init__(self, cores: float, percentile: float, margin: float, half_life: float) -> None:
        self.limit = cores
        self.percentile, self.margin, self.half_life = percentile, margin, half_life
        self.samples: list[float] = []
        self.minutes: list[float] = []

    def __call__(self, used: float, throttled: float, theta: float) -> float:
        self.samples.append(used)
        if len(self.samples) == 600:
            self.minutes.append(statistics.fmean(self.samples))
            self.samples = []
            n = len(self.minutes)
            weighted = sorted((u, 0.5 ** ((n - 1 - i) / self.half_life)) for i, u in enumerate(self.minutes))
            wanted = self.percentile * sum(weight for _, weight in weighted)
            sums = itertools.accumulate(weight for _, weight in weighted)
            enough = (
                u for (u, _), below in zip(weighted, sums, strict=True) if below >= wanted * (1 - 1e-12)
            )
            self.limit = self.margin * next(enough)
        return self.limit


Law = Callable[[float, float, float], float]


class Tower:
    """The stand-in of Tower: medians of costs by action and load, expected costs as means weighted by nearness."""

    GRID = (0.0, 0.02, 0.04, 0.06, 0.10, 0.15, 0.20, 0.25, 0.30)

    def __init__(self, slo_ms: float, samples: list[tuple[int, float, float, float]]) -> None:
        self.slo_ms = slo_ms
        self.samples = list(samples)

    def expected(self, load: float) -> list[float]:
        """What each of the 81 actions is expected to cost at a load."""
        met = [c for _, _, p, c in self.samples if p <= self.slo_ms]
        missed = [p for _, _, p, _ in self.samples if p > self.slo_ms]

        def share(x: float, all_: list[float]) -> float:
            return (x - min(all_)) / (max(all_) - min(all_)) if max(all_) > min(all_) else 0.5

        width = max(1.0, 0.05 * max(rps for _, rps, _, _ in self.samples))
        groups: dict[tuple[int, int], list[float]] = {}
        for action, rps, p99, cores in self.samples:
            cost = share(cores, met) if p99 <= self.slo_ms else 2 + share(p99, missed)
            groups.setdefault((action, round(rps / width)), []).append(cost)
        out = []
        for action in range(81):
            total = weights = 0.0
            for (known, bin_), costs in groups.items():
                squares = (bin_ - load / width) ** 2
                squares += (known // 9 - action // 9) ** 2 + (known % 9 - action % 9) ** 2
                weights += (1 + squares) ** -3
                total += (1 + squares) ** -3 * statistics.median(costs)
            out.append(total / weights)
        return out
