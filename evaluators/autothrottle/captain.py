"""Captain, the local law of services whose policy has only a global one.

The authors' algorithm with their constants (released code, ``CaptainScaler``); the baseline ``captain`` is the same law
as a policy, and a test demands that both decide alike.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from evaluators.autothrottle.contract import LEAST_CORES

#: Columns of the state of one service: its limit, margin in deviations, limit before the last decision, throttled periods
#: since it, whether it was a cut.
LIMIT, MARGIN, BEFORE, HELD, CUT = range(5)
STATE = 5
FIRST_MARGIN = 3.0

_DECIDE_EVERY = 10  # ticks
_ALPHA = 3.0
_GATE, _FLOOR = 0.9, 0.5


def make_states(n: int, node_cores: float) -> np.ndarray:
    """float64[n, STATE]: services at the start."""
    states = np.zeros((n, STATE))
    states[:, MARGIN] = FIRST_MARGIN
    states[:, LIMIT] = states[:, BEFORE] = node_cores
    return states


@njit
def captain(state, tick, obs, usage, target):  # type: ignore[no-untyped-def]
    """The limit of a service, see the contract."""
    state[HELD] += obs[1]
    ratio = state[HELD] / _DECIDE_EVERY
    if state[CUT] > 0.0 and ratio > _ALPHA * target:
        state[LIMIT] = state[BEFORE] + (state[BEFORE] - state[LIMIT])  # more than it was
        state[MARGIN] += ratio - target
        state[HELD] = 0.0
        state[CUT] = 0.0
    if tick % _DECIDE_EVERY == _DECIDE_EVERY - 1:
        limit = state[LIMIT]
        state[BEFORE] = limit
        ratio = state[HELD] / _DECIDE_EVERY
        state[MARGIN] = max(0.0, state[MARGIN] + (ratio - target))
        state[CUT] = 0.0
        if ratio > _ALPHA * target:
            limit = limit * (1.0 + ratio - _ALPHA * target)
        else:
            most = usage[0]
            total = 0.0
            for i in range(len(usage)):
                most = max(most, usage[i])
                total += usage[i]
            mean = total / len(usage)
            squares = 0.0
            for i in range(len(usage)):
                squares += (usage[i] - mean) * (usage[i] - mean)
            wanted = most + state[MARGIN] * math.sqrt(squares / (len(usage) - 1))
            if wanted <= _GATE * limit:
                limit = max(_FLOOR * limit, wanted)
                state[CUT] = 1.0
        state[HELD] = 0.0
        state[LIMIT] = max(LEAST_CORES, limit)
    return state[LIMIT]
