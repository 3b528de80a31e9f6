"""Diversity and usefulness, measured in performance space (paper §3.1, §4.2).

A solution's *feedback embedding* is its metric on each feedback workload. Distances are between embeddings.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

#: Two embeddings closer than this in every coordinate count as the same solution.
TOLERANCE = 1e-3
CURVE = (0.0, 1e-4, 1e-3, 1e-2)


def distinct(embeddings: np.ndarray, structures: Sequence[str], tolerance: float = TOLERANCE) -> np.ndarray:
    """Which solutions are new when they appear.

    Args:
        embeddings: float[m, n], in logical order.
        structures: Program structure of each (programs equal up to constants count once).
        tolerance: Max-norm distance at or below which two embeddings are the same.

    Returns:
        bool[m]; True for the first of its class.
    """
    embeddings = np.asarray(embeddings)
    new = np.zeros(len(embeddings), dtype=bool)
    if not len(embeddings):
        return new
    kept = Kept(embeddings.shape[1], int(np.argmax(np.ptp(embeddings, axis=0))))
    seen: set[str] = set()
    for i, row in enumerate(embeddings):
        if structures[i] not in seen and not kept.near(row, tolerance):
            new[i] = True
            kept.add(row)
            seen.add(structures[i])
    return new


class Kept:
    """A growing set of embeddings that is asked whether one of them is near.

    Whoever is near in every coordinate is near in one; looking at a single coordinate first leaves few to look at
    closely, which makes 10,000 questions a matter of a second.

    Args:
        dimension: Length of an embedding.
        first: The coordinate that is looked at first, best one that differs much.
    """

    def __init__(self, dimension: int, first: int = 0) -> None:
        self._rows = np.empty((64, dimension))
        self._firsts = np.empty(64)  # a copy without gaps: several times as fast
        self._first = first
        self._count = 0

    def near(self, row: np.ndarray, tolerance: float) -> bool:
        """Whether one differs by at most ``tolerance`` in every coordinate."""
        alike = np.abs(self._firsts[: self._count] - row[self._first]) <= tolerance
        close = self._rows[: self._count][alike]
        return bool(len(close)) and bool(np.abs(close - row).max(axis=1).min() <= tolerance)

    def add(self, row: np.ndarray) -> None:
        """Take one in."""
        if self._count == len(self._rows):
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
            self._firsts = np.concatenate([self._firsts, np.empty_like(self._firsts)])
        self._rows[self._count] = row
        self._firsts[self._count] = row[self._first]
        self._count += 1


def nearest(embeddings: np.ndarray, centres: Mapping[str, np.ndarray]) -> list[str]:
    """The nearest baseline (Euclid) of each embedding."""
    names = list(centres)
    matrix = np.stack([centres[n] for n in names])
    return [names[int(np.argmin(((matrix - row) ** 2).sum(axis=1)))] for row in embeddings]


def summary(
    embeddings: np.ndarray, structures: Sequence[str], centres: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """The diversity figures of a run.

    Returns:
        ``distinct`` by tolerance, ``clusters`` (share of solutions by nearest baseline), ``entropy`` of the
        clusters in nats, ``cluster_sd`` (standard deviation of the shares), ``mean_distance`` (mean Euclidean
        distance between solutions), ``mean_nearest`` (mean distance to the nearest other solution).
    """
    if not len(embeddings):
        return {"distinct": {_label(t): 0 for t in CURVE}, "clusters": {}, "entropy": 0.0}
    curve = {_label(t): int(distinct(embeddings, structures, t).sum()) for t in CURVE}
    out: dict[str, Any] = {"distinct": curve}
    if centres:
        labels = nearest(embeddings, centres)
        shares = {name: labels.count(name) / len(labels) for name in centres}
        out["clusters"] = {name: round(share, 4) for name, share in shares.items()}
        out["entropy"] = round(-sum(s * math.log(s) for s in shares.values() if s > 0), 4)
        out["cluster_sd"] = round(float(np.std(list(shares.values()))), 4)
    if len(embeddings) > 1:
        # A sample bounds the quadratic cost; evenly spaced, so it is the same on every machine.
        rows = embeddings[np.linspace(0, len(embeddings) - 1, min(len(embeddings), 1000)).astype(int)]
        squares = (rows**2).sum(axis=1)
        distances = np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2 * rows @ rows.T, 0))
        m = len(rows)
        out["mean_distance"] = round(float(distances.sum() / (m * (m - 1))), 6)
        np.fill_diagonal(distances, np.inf)
        out["mean_nearest"] = round(float(distances.min(axis=1).mean()), 6)
    return out


def _label(tolerance: float) -> str:
    return "exact" if tolerance == 0 else f"{tolerance:g}"
