"""What controllers see of a running simulation, and how their limits are written."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from evaluators.autothrottle import layout as k
from evaluators.autothrottle.compiling import STAMP
from evaluators.autothrottle.contract import RING
from evaluators.autothrottle.quota import bring_up, write_limit

#: Core-milliseconds that a change of a limit costs beside what it refills: a write to a file of the kernel.
WRITE_MS = 0.1
#: Places in `totals`: core-ms allocated by limits, refilled by writes, used; seconds these are about; writes; sampled
#: periods, throttled ones; nanoseconds throttled.
LIMITS, REFILLED, CPU, OVER, CHANGES, SAMPLED, HELD, HELD_NS = range(8)


@njit
def _sample(control, services, limits, obs, usage, throttled, minute, totals, begun, measured):  # type: ignore[no-untyped-def]
    """Fill in what controllers see at this moment."""
    now = control[k.NOW]
    passed = now - begun
    pos = (control[k.POS] + 1) % RING
    control[k.POS] = pos
    for s in range(control[k.N_SERVICES]):
        bring_up(services, s, now)
        row = services[s]
        held_ns = row.throttled_ns + (now - row.since if row.throttled else 0)
        cores = (row.used - row.seen_used) / passed
        held = row.n_throttled - row.seen_throttled
        held_ms = (held_ns - row.seen_ns) / k.MS
        obs[s, 0] = limits[s]
        obs[s, 1] = held
        obs[s, 2] = row.n_periods - row.seen_periods
        obs[s, 3] = held_ms
        obs[s, 4] = cores
        obs[s, 5] = (now - row.written) / k.MS
        obs[s, 7] = row.n_bursts - row.seen_bursts
        usage[s, pos] = cores
        throttled[s, pos] = held
        minute[s, 0] += cores
        minute[s, 1] += cores * cores
        minute[s, 2] = max(minute[s, 2], cores)
        minute[s, 3] += held
        allocated = row.quota / k.PERIOD
        minute[s, 4] += allocated
        minute[s, 5] += held_ms
        minute[s, 6] += row.writes
        if measured:
            seconds = passed / k.SECOND
            totals[LIMITS] += allocated * 1e3 * seconds
            totals[REFILLED] += row.granted / k.MS + WRITE_MS * row.writes
            totals[CPU] += (row.used - row.seen_used) / k.MS
            totals[CHANGES] += row.writes
            totals[HELD] += held
            totals[HELD_NS] += held_ms
            totals[SAMPLED] += 1
            if s == 0:
                totals[OVER] += seconds
        row.seen_used = row.used
        row.seen_throttled = row.n_throttled
        row.seen_periods = row.n_periods
        row.seen_ns = held_ns
        row.seen_bursts = row.n_bursts
        row.writes = 0
        row.granted = 0
    control[k.TICK] += 1


@njit
def _set_limits(control, items, heads, services, limits, wanted):  # type: ignore[no-untyped-def]
    """Write the limits that differ."""
    for s in range(control[k.N_SERVICES]):
        if wanted[s] != limits[s]:
            limits[s] = wanted[s]
            quota = np.int64(wanted[s] * k.PERIOD)
            write_limit(services, items, heads, control[k.N_SERVICES], s, quota, control[k.NOW])


def _entries(stamp: int) -> tuple[Any, Any]:
    """The functions above, cached (see :mod:`evaluators.autothrottle.compiling`)."""

    @njit(cache=True)
    def sample(control, services, limits, obs, usage, throttled, minute, totals, begun, measured):  # type: ignore[no-untyped-def]
        if stamp:
            _sample(control, services, limits, obs, usage, throttled, minute, totals, begun, measured)

    @njit(cache=True)
    def set_limits(control, items, heads, services, limits, wanted):  # type: ignore[no-untyped-def]
        if stamp:
            _set_limits(control, items, heads, services, limits, wanted)

    return sample, set_limits


sample, set_limits = _entries(STAMP)
