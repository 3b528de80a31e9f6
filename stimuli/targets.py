"""Where to steer in the space of feedback embeddings: the explore target.

The paper takes the point of the *bounded* embedding space that is farthest from all solutions so far. In a
box of 30 dimensions that is always a corner, which no policy can reach (a hit ratio of 0 on one Zipf trace
and 1 on the next), and steering towards it orders candidates by noise. Here the search is limited to points
that look reachable:

* they follow the correlations between workloads: a sample of a Gaussian with the mean and covariance of the
  embeddings seen, its standard deviations stretched by ``SPREAD`` so that it reaches beyond them;
* they stay inside the box that the embeddings seen span, widened by ``MARGIN`` of its extent on every side;
* they are no better than the ideal in any dimension.

The target is the point of a sample of ``POOL`` whose nearest embedding seen is farthest away.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stimuli.base import FloatArray

POOL = 256
SPREAD = 2.0
MARGIN = 0.1

_CHUNK = 2048


def farthest_reachable(seen: FloatArray, ideal: FloatArray, rng: np.random.Generator) -> FloatArray:
    """The explore target.

    Args:
        seen: embeddings of the solutions so far, shape [m, n], m at least 2, finite.
        ideal: best value of each dimension, shape [n]; bounds the target on the side where it lies.
        rng: source of the sample.

    Returns:
        A point of shape [n].
    """
    pool = reachable_points(seen, ideal, POOL, rng)
    point: FloatArray = pool[int(np.argmax(distance_to_nearest(pool, seen)))]
    return point


def reachable_points(seen: FloatArray, ideal: FloatArray, count: int, rng: np.random.Generator) -> FloatArray:
    """A sample of ``count`` points that look reachable (see the module), shape [count, n]."""
    low, high = seen.min(axis=0), seen.max(axis=0)
    widening = MARGIN * (high - low)
    floor = np.where(ideal <= low, np.maximum(low - widening, ideal), low - widening)
    ceiling = np.where(ideal >= high, np.minimum(high + widening, ideal), high + widening)
    mean = seen.mean(axis=0)
    # eigh and not a Cholesky factor: the covariance is singular while there are fewer solutions than
    # dimensions.
    variances, axes = np.linalg.eigh(np.cov(seen, rowvar=False, bias=True).reshape(len(mean), len(mean)))
    deviations = SPREAD * np.sqrt(np.maximum(variances, 0.0))
    points = mean + (rng.standard_normal((count, len(mean))) * deviations) @ axes.T
    clipped: FloatArray = np.clip(points, floor, ceiling)
    return clipped


def distance_to_nearest(points: FloatArray, seen: FloatArray) -> FloatArray:
    """Euclidean distance of each point to its nearest embedding seen, shape [len(points)].

    Runs in single precision over chunks of ``seen``, centred first: relative errors of 1e-3 do not change
    which point is far away, and half the memory traffic keeps 10,000 solutions within a few milliseconds.
    """
    centre = seen.mean(axis=0)
    a = (points - centre).astype(np.float32)
    a_squared = np.square(a).sum(axis=1)
    nearest: npt.NDArray[np.float32] = np.full(len(a), np.inf, np.float32)
    for start in range(0, len(seen), _CHUNK):
        b = (seen[start : start + _CHUNK] - centre).astype(np.float32)
        # |a - b|^2 = |a|^2 + |b|^2 - 2 a.b; |a|^2 does not change which b is nearest and is added at the end.
        np.minimum(nearest, (np.square(b).sum(axis=1) - 2 * (a @ b.T)).min(axis=1), out=nearest)
    distances: FloatArray = np.sqrt(np.maximum(nearest + a_squared, 0.0)).astype(np.float64)
    return distances
