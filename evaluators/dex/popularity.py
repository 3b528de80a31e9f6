"""What a cell's keys make of its leaves: the popularity that no policy is told."""

from __future__ import annotations

import numpy as np

from evaluators.dex.caching import cached
from evaluators.dex.cell import Cell
from evaluators.dex.keys import zeta
from evaluators.dex.mixing import mix


@cached
def _masses(out, keys, fanout, theta, phase, seed):  # type: ignore[no-untyped-def]
    for rank in range(keys):
        key = mix(rank + (phase << 40) + (seed << 48)) % keys
        out[key // fanout] += (rank + 1.0) ** -theta


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
