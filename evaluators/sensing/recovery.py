"""What the base makes of the readings that arrived, and how far that is from the truth.

Readings that cannot be are dropped; between the others the base interpolates linearly in time, and before the first and
after the last it keeps their values. A quantity of which nothing arrived is taken to be zero.
"""

from __future__ import annotations

import numpy as np

from evaluators.sensing import layout as k
from evaluators.sensing.compiling import cached
from evaluators.sensing.noise import salt
from evaluators.sensing.readings import possible, reading
from evaluators.sensing.scenario import DAY, HOUR, Scenario

#: Least rise of moisture within six hours that is a wet-up (m3 m-3), and hours before the next may begin.
RISE, _WITHIN, _APART = 0.02, 6 * HOUR, 12 * HOUR
#: Least standard deviations that errors are divided by.
_LEAST_SD = (0.004, 0.004, 0.3, 0.05)
#: Columns of what is measured of a node: mean squared errors of the four quantities, relative error of the sum of CO2,
#: wet-ups caught.
ERRORS, SUM, CAUGHT, MEASURED = 0, 4, 5, 6


@cached
def recovered(seed, values, fixed, size, ends, flags, quantity, n, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` (float64[T]) with what the base makes of a quantity of node ``n``; returns how many readings it had."""
    if n < 0:  # never: it spares the loop the wrap-around of negative indices
        return 0
    wanted = k.READ | k.ARRIVED
    if quantity == 3:
        wanted |= k.READ_CO2
    own = salt(seed, 4 * n + quantity)
    last = -1
    before = 0.0
    count = 0
    ticks = out.shape[0]
    for t in range(ticks):
        if flags[n, t] & (wanted | k.DROPPED) != wanted:
            continue
        x = reading(seed, own, values, fixed, size, ends, quantity, n, t)
        if not possible(quantity, x):
            continue
        if count == 0:
            out[:t] = x
        elif last == t - 1:
            out[last] = before
        else:
            slope = (x - before) / (t - last)
            for u in range(last, t):
                out[u] = before + slope * (u - last)
        last, before = t, x
        count += 1
    out[max(last, 0) :] = before
    return count


@cached
def _measure(seed, values, known, fixed, sizes, repaired, flags, events, within, peak_within, out, line):  # type: ignore[no-untyped-def]
    """Fill ``out`` (float64[N, MEASURED]); ``line`` is room for one node's series (float64[T])."""
    nodes, ticks = values.shape[1], values.shape[2]
    place = 0
    for n in range(nodes):
        for q in range(4):
            recovered(seed, values, fixed, sizes[n], repaired[n], flags, q, n, line)
            wrong = 0.0
            count = 0
            total = 0.0
            truth = 0.0
            for t in range(ticks):
                if known.shape[1] > 0 and known[q, n, t] == 0:
                    continue
                d = line[t] - values[q, n, t]
                wrong += d * d
                total += line[t]
                truth += values[q, n, t]
                count += 1
            out[n, ERRORS + q] = wrong / max(1, count)
            if q == 3:
                out[n, SUM] = abs(total - truth) / max(1e-9, abs(truth))
            if q == 0:
                while place < len(events) and events[place, 0] == n:
                    if _caught(values[0, n], line, events, place, within, peak_within):
                        out[n, CAUGHT] += 1.0
                    place += 1


@cached
def _caught(truth, line, events, place, within, peak_within):  # type: ignore[no-untyped-def]
    """Whether what was recovered shows a wet-up: its peak, and when it had risen by half."""
    start = events[place, 1]
    end = min(len(truth), start + DAY)
    high = truth[start]
    seen = line[start]
    for t in range(start, end):
        high = max(high, truth[t])
        seen = max(seen, line[t])
    if abs(high - seen) > peak_within:
        return False
    half = (truth[start] + high) / 2
    when = start
    while truth[when] < half:
        when += 1
    first = max(0, start - DAY // 2)
    found = first
    while found < end and line[found] < half:
        found += 1
    return found < end and abs(found - when) <= within


def wetups(moisture: np.ndarray) -> np.ndarray:
    """int64[events, 2]: node and tick of the onset of every wet-up in float32[N, T]."""
    out: list[tuple[int, int]] = []
    for n, series in enumerate(np.asarray(moisture, dtype=np.float64)):
        if len(series) <= _WITHIN:
            continue
        windows = np.lib.stride_tricks.sliding_window_view(series, _WITHIN + 1)
        rising = windows.max(axis=1) - series[: len(windows)] >= RISE
        t = 0
        starts = np.flatnonzero(rising)
        for start in starts:
            if start < t:
                continue
            # The onset is where it begins to rise, not where a later rise comes into view.
            ahead = np.flatnonzero(np.diff(series[start : start + _WITHIN + 1]) > RISE / 20)
            onset = int(start + (ahead[0] if len(ahead) else 0))
            out.append((n, onset))
            t = onset + _APART
    return np.array(out, dtype=np.int64).reshape(-1, 2)


def spread(scenario: Scenario) -> np.ndarray:
    """float64[4]: the standard deviation in time of each quantity, pooled over the places."""
    values = scenario.field.values
    return np.asarray(np.maximum(_LEAST_SD, np.sqrt(values.astype(np.float64).var(axis=2).mean(axis=1))))


def measure(
    scenario: Scenario,
    fixed: np.ndarray,
    sizes: np.ndarray,
    repaired: np.ndarray,
    flags: np.ndarray,
    events: np.ndarray,
) -> np.ndarray:
    """float64[N, MEASURED] of what arrived (``flags`` uint8[N, T])."""
    field = scenario.field
    known = np.zeros((4, 0, 0), dtype=np.uint8) if field.known is None else field.known.view(np.uint8)
    out = np.zeros((field.nodes, MEASURED))
    goals = scenario.goals
    _measure(
        scenario.seed,
        field.values,
        known,
        fixed,
        sizes,
        repaired,
        flags,
        events,
        round(goals.wetup_h * HOUR),
        goals.wetup_peak,
        out,
        np.zeros(field.ticks),
    )
    return out
