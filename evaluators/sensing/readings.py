"""What a probe says: the truth, its noise, and what is wrong with it. A reading depends on node and tick alone."""

from __future__ import annotations

import math

import numpy as np

from evaluators.sensing import layout as k
from evaluators.sensing.compiling import cached, inlined
from evaluators.sensing.noise import normal, normal_of, salt, salted, uniform

#: Noise: s.d. of moisture (m3 m-3) and temperature (degC); of the log of CO2 efflux (10 to 18 % at real sites).
NOISE = (0.004, 0.004, 0.1, 0.14)
#: Bounds of what can be: readings beyond are dropped at the base and suspect at the node.
LOW = (0.0, 0.0, -30.0, -5.0)
HIGH = (0.70, 0.70, 60.0, 40.0)
#: Kinds of faults, in the order of ``scenario.FAULTS``.
STUCK, OFFSET, DRIFT, NOISY, SPIKE, ABSURD = range(6)
#: What a broken probe says at last (as the data logger of a real station does), and the part of the readings with a spike.
SENTINEL, SPIKES = -7999.0, 0.2


@inlined
def reading(seed, own, values, fixed, size, ends, quantity, n, t):  # type: ignore[no-untyped-def]
    """What the probe of a quantity says at node ``n`` and tick ``t``.

    Args:
        own: ``salt(seed, 4 * n + quantity)`` of :mod:`evaluators.sensing.noise`.
        values: float32[4, N, T].
        fixed: int64[N, NODE_FIXED].
        size: Of the node's fault.
        ends: Tick from which the fault is repaired.
    """
    at = t
    faulty = fixed[n, k.FAULT] >= 0 and fixed[n, k.QUANTITY] == quantity and fixed[n, k.ONSET] <= t < ends
    if faulty and fixed[n, k.FAULT] == STUCK:
        at = fixed[n, k.ONSET]
    z = normal_of(salted(own, at))
    x = float(values[quantity, n, at])
    if quantity == 3:
        x *= math.exp(NOISE[3] * z)
    else:
        x += NOISE[quantity] * z
    if faulty:
        kind = fixed[n, k.FAULT]
        if kind == OFFSET:
            x += size
        elif kind == DRIFT:
            x += size * (t - fixed[n, k.ONSET]) / 144.0
        elif kind == NOISY:
            x += size * normal(seed + 1, 4 * n + quantity, t)
        elif kind == SPIKE:
            if uniform(seed + 1, 4 * n + quantity, t) < SPIKES:
                x += size
        elif kind == ABSURD:
            x = SENTINEL
    return x


@inlined
def possible(quantity, x):  # type: ignore[no-untyped-def]
    """Whether a quantity can have the value."""
    return LOW[quantity] <= x <= HIGH[quantity]


@cached
def _salts(seed, out):  # type: ignore[no-untyped-def]
    """Fill what :func:`salts` returns."""
    for n in range(out.shape[0]):
        for quantity in range(4):
            out[n, quantity] = salt(seed, 4 * n + quantity)
        out[n, 4] = salt(seed + 2, n)


def salts(seed: int, nodes: int) -> np.ndarray:
    """int64[nodes, 5]: salts of the noise of each node's quantities, and of the humidity in its box."""
    out = np.zeros((nodes, 5), dtype=np.int64)
    _salts(seed, out)
    return out
