"""The offline oracle: the best times of CO2 readings for linear interpolation, knowing the truth.

By dynamic programming on hourly truth with a price a reading (Lagrange's multiplier instead of a count), at most a week
between two readings. Between hours nothing is gained: the error is measured at the hours, too.
"""

from __future__ import annotations

import numpy as np

from evaluators.base import Score
from evaluators.sensing.compiling import cached
from evaluators.sensing.scenario import DAY, HOUR
from evaluators.sensing.scoring import Task
from evaluators.sensing.simulator import Measured

#: Hours up to which two neighbouring readings may be apart, and prices that are tried.
_APART, _TRIES = 168, 40
#: Part of the oracle's loss that noise might save a policy by chance: it is allowed for, so that the bound is one.
CHANCE = 0.1


@cached
def _chosen(y, known, price, apart, cost, back):  # type: ignore[no-untyped-def]
    """Least sum of squared errors plus ``price`` a reading; fills ``back`` (int64[H]); returns readings, error and last hour.

    The error of the piece from ``i`` to ``j`` follows from sums over it, of the hours that are known (``known`` 1, else 0).
    """
    n = len(y)
    for j in range(n):
        # Before the first reading its value is kept.
        head = 0.0
        if j < apart:
            for u in range(j):
                head += known[u] * (y[u] - y[j]) ** 2
            cost[j] = head + price
        else:
            cost[j] = 1e300
        back[j] = -1
        xx, dx, dd = 0.0, 0.0, 0.0
        for i in range(j - 1, max(-1, j - apart - 1), -1):
            # Points between i and j, exclusive; x counts from j backwards.
            length = j - i
            d = y[i] - y[j]
            slope = d / length
            total = cost[i] + dd - 2.0 * slope * dx + slope * slope * xx + price
            if total < cost[j]:
                cost[j] = total
                back[j] = i
            xx += known[i] * length * length
            dx += known[i] * d * length
            dd += known[i] * d * d
    best = 1e300
    last = n - 1
    for j in range(n - 1, max(-1, n - apart - 1), -1):
        tail = 0.0
        for u in range(j + 1, n):
            tail += known[u] * (y[u] - y[j]) ** 2
        if cost[j] + tail < best:
            best = cost[j] + tail
            last = j
    count = 0
    j = last
    while j >= 0:
        count += 1
        j = back[j]
    return count, best - price * count, last


def best_times(
    series: np.ndarray, readings: float, known: np.ndarray | None = None
) -> tuple[np.ndarray, float]:
    """The best hours for about so many readings (never fewer), and the mean squared error that is left.

    Args:
        series: float64[H], hourly truth.
        readings: How many there may be.
        known: bool[H], hours whose error counts; None: all.
    """
    y = np.ascontiguousarray(series, dtype=np.float64)
    counts = np.ones(len(y)) if known is None else known.astype(np.float64)
    cost, back = np.zeros(len(y)), np.zeros(len(y), dtype=np.int64)
    low, high = 1e-9, float(len(y) * max(1e-6, y.var()))
    found: tuple[np.ndarray, float] = (np.arange(len(y)), 0.0)
    for _ in range(_TRIES):
        price = float(np.sqrt(low * high))
        count, wrong, last = _chosen(y, counts, price, _APART, cost, back)
        if count < readings:
            high = price
            continue
        low = price
        times = []
        at = int(last)
        while at >= 0:
            times.append(at)
            at = int(back[at])
        found = (np.array(times[::-1]), float(wrong) / max(1.0, float(counts.sum())))
        if count <= 1.02 * readings:
            break
    return found


def affordable(task: Task) -> np.ndarray:
    """float64[N]: CO2 readings that each node's energy would pay for if it did nothing else but sleep."""
    scenario, plan = task.scenario, task.plan
    hardware = scenario.hardware
    harvest = hardware.panel_w * plan.sunlit * 600.0 * float(plan.light[-1])
    idle = hardware.sleep_w * 86400.0 * scenario.days
    return np.asarray(np.maximum(0.0, plan.capacity + harvest - idle) / hardware.co2_j)


def flux_error(task: Task) -> float:
    """The error of efflux that the oracle leaves, in standard deviations as in the scores."""
    scenario = task.scenario
    field = scenario.field
    wrong = []
    for n, most in enumerate(affordable(task)):
        hourly = field.values[3, n, ::HOUR].astype(np.float64)
        most = min(float(len(hourly)), max(1.0, float(most)))
        known = None if field.known is None else field.known[3, n, ::HOUR]
        wrong.append(best_times(hourly, most, known)[1] if most < len(hourly) else 0.0)
    return float(np.sqrt(np.mean(wrong)) / task.spread[3])


def oracle(task: Measured) -> Score:
    """A value that no policy passes: the oracle's error of efflux, and every other goal met for nothing."""
    scenario = task.scenario
    details = {"days": scenario.field.ticks / DAY}
    loss = 0.0
    if scenario.hardware.co2_sensor:
        details["flux_error"] = flux_error(task)
        details["co2_a_day"] = float(affordable(task).mean()) / scenario.days
        loss = (1.0 - CHANCE) * details["flux_error"] / scenario.goals.flux / len(task.par.parts)
    return Score(task.name, loss / task.par.loss, details)
