"""Correlations and intervals."""

from __future__ import annotations

import numpy as np

_SEED, _RESAMPLES = 0xB007, 10_000


def pearson(x: np.ndarray, y: np.ndarray) -> float:
    """Linear correlation of two samples, 0 if one is constant."""
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt((x * x).sum() * (y * y).sum()))
    return float((x * y).sum()) / scale if scale > 0 else 0.0


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Rank correlation of two samples, equal values with their mean rank."""
    return pearson(_ranks(x), _ranks(y))


def _ranks(x: np.ndarray) -> np.ndarray:
    _, places, counts = np.unique(x, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[places])


def interval(values: np.ndarray) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of a sample."""
    rng = np.random.default_rng(np.random.SeedSequence(_SEED))
    means = values[rng.integers(0, len(values), size=(_RESAMPLES, len(values)))].mean(axis=1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))
