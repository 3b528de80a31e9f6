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
    new = np.zeros(len(embeddings), dtype=bool)
    kept: list[int] = []
    seen: set[str] = set()
    for i, row in enumerate(embeddings):
        if structures[i] in seen:
            continue
        if kept and np.abs(embeddings[kept] - row).max(axis=1).min() <= tolerance:
            continue
        new[i] = True
        kept.append(i)
        seen.add(structures[i])
    return new


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
