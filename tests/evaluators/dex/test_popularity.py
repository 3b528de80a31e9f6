"""The popularity of leaves, which the bounds know."""

from __future__ import annotations

import numpy as np
import pytest

from evaluators.dex.cell import Cell
from evaluators.dex.mixing import mix
from evaluators.dex.popularity import leaf_masses, server_masses


@pytest.mark.parametrize(("theta", "phase"), [(0.99, 0), (0.6, 2), (1.1, 1)])
def test_shares_are_those_of_every_key_alone(theta: float, phase: int) -> None:
    cell = Cell("small", keys=40_000, theta=theta, cache_mb=1, seed=7)
    weights = np.arange(1, cell.keys + 1, dtype=float) ** -theta
    exact = np.zeros(cell.leaves)
    for rank in range(cell.keys):
        exact[mix(rank + (phase << 40) + (cell.seed << 48)) % cell.keys // cell.fanout] += weights[rank]
    np.testing.assert_allclose(leaf_masses(cell, phase), exact / weights.sum(), rtol=1e-9)


def test_uniform_keys_make_all_leaves_alike() -> None:
    cell = Cell("small", keys=29_000, theta=0.0, cache_mb=1)
    masses = leaf_masses(cell)
    assert np.ptp(masses) == 0.0
    for server in range(cell.servers):
        assert server_masses(cell, server, masses).sum() == pytest.approx(1.0)
