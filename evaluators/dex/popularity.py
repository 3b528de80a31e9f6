"""What a cell's keys make of its leaves: the popularity that no policy is told."""

from __future__ import annotations

import numpy as np

from evaluators.dex.caching import cached
from evaluators.dex.cell import Cell
from evaluators.dex.keys import zeta
from evaluators.dex.mixing import mix

#: Ranks from which on a block of them shares one power, and how many there are in a block.
_FAR, _BLOCK = 1 << 13, 64


@cached
def _masses(out, keys, fanout, theta, phase, seed):  # type: ignore[no-untyped-def]
    salt = (phase << 40) + (seed << 48)
    for rank in range(min(keys, _FAR)):
        out[mix(rank + salt) % keys // fanout] += (rank + 1.0) ** -theta
    # Most of the time would go into powers. Within a block four terms of Taylor's series are exact to 1e-12.
    for first in range(_FAR, keys, _BLOCK):
        middle = first + 0.5 * (_BLOCK + 1)
        power = middle**-theta
        slope = -theta * power / middle
        bend = -0.5 * (theta + 1.0) * slope / middle
        third = -(theta + 2.0) * bend / (3.0 * middle)
        fourth = -(theta + 3.0) * third / (4.0 * middle)
        for rank in range(first, min(first + _BLOCK, keys)):
            off = rank + 1.0 - middle
            weight = power + off * (slope + off * (bend + off * (third + off * fourth)))
            out[mix(rank + salt) % keys // fanout] += weight


def leaf_masses(cell: Cell, phase: int = 0) -> np.ndarray:
    """float64[leaves], the share of all operations that go to each leaf in a phase (between two moves of the hot set)."""
    if cell.theta == 0.0:
        return np.full(cell.leaves, 1.0 / cell.leaves)
    out = np.zeros(cell.leaves)
    _masses(out, cell.keys, cell.fanout, cell.theta, phase, cell.seed)
    return out / zeta(cell.keys, cell.theta)


def server_masses(cell: Cell, server: int, masses: np.ndarray) -> np.ndarray:
    """The shares of a server's leaves in its own stream."""
    first, last = cell.range_of(server, 0)
    own = masses[first : last + 1]
    return np.asarray(own / own.sum())
