"""Diversity and usefulness, measured in performance space (paper §3.1, §4.2): arrays in, numbers out.

A solution's *feedback embedding* is its metric on each feedback workload; m solutions on n workloads are a matrix
float[m, n], one row a solution. Distances are between embeddings, so they have the unit of the metric. What depends
on the order of the rows (:func:`distinct`) is given the logical order, never that in which solutions were finished;
all the rest does not depend on it. :mod:`metamuse.accounting` applies this to a run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

#: Two embeddings closer than this in every coordinate count as the same solution.
TOLERANCE = 1e-3
CURVE = (0.0, 1e-4, 1e-3, 1e-2)
#: Equal steps that :func:`coverage` divides the span of each workload into.
CELLS = 20
#: Where a bound is better than the reference by a smaller share of it, there is no gap that could be closed.
LEAST_GAP = 0.01
#: So many embeddings are compared as a whole, more by one coordinate after the other.
_FEW = 32
#: Side of the tiles of a distance matrix: 1 MB, so that several passes over a tile stay in the processor's cache.
_TILE = 360


def label(tolerance: float) -> str:
    """A tolerance as a key: ``exact``, ``0.0001``, …"""
    return "exact" if tolerance == 0 else f"{tolerance:g}"


def distinct(embeddings: np.ndarray, structures: Sequence[str], tolerance: float = TOLERANCE) -> np.ndarray:
    """Which solutions are new when they appear; their running sum is the paper's figure 6.

    Args:
        embeddings: float[m, n], in logical order.
        structures: Program structure of each (programs equal up to constants count once).
        tolerance: Max-norm distance at or below which two embeddings are the same. The paper's is 0.

    Returns:
        bool[m]; True for the first of its class.
    """
    embeddings = np.asarray(embeddings)
    if not len(embeddings):
        return np.zeros(0, dtype=bool)
    seen = Seen(tolerance, int(np.argmax(np.ptp(embeddings, axis=0))))
    new = (seen.take(embeddings, i, structure) for i, structure in enumerate(structures))
    return np.fromiter(new, bool, len(embeddings))


class Seen:
    """The classes of solutions seen so far, in logical order. Their embeddings are another's, who may have several.

    Whoever is near in every coordinate is near in each; looking at one after the other leaves few to look at closely,
    which makes 10,000 questions a matter of a fraction of a second.

    Args:
        tolerance: See :func:`distinct`.
        first: The coordinate that is looked at first, best one that differs much.
    """

    def __init__(self, tolerance: float, first: int = 0) -> None:
        self.count = 0
        self._tolerance = tolerance
        self._structures: set[str] = set()
        self._rows = np.empty(64, dtype=np.int32)
        self._firsts = np.empty(64)  # a copy without gaps: several times as fast
        self._first = first

    def take(self, embeddings: np.ndarray, i: int, structure: str) -> bool:
        """Take in a solution; returns whether it is new. ``count`` is the number of those.

        Args:
            embeddings: float[m, n]; the rows of solutions taken in before must be there.
            i: Its row.
            structure: Of its program.
        """
        if structure in self._structures or self._near(embeddings, embeddings[i]):
            return False
        if self.count == len(self._rows):
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
            self._firsts = np.concatenate([self._firsts, np.empty_like(self._firsts)])
        self._rows[self.count] = i
        self._firsts[self.count] = embeddings[i, self._first]
        self._structures.add(structure)
        self.count += 1
        return True

    def _near(self, embeddings: np.ndarray, row: np.ndarray) -> bool:
        near = self._rows[: self.count][
            np.abs(self._firsts[: self.count] - row[self._first]) <= self._tolerance
        ]
        for column, value in enumerate(row):
            if len(near) < _FEW:
                break
            near = near[np.abs(embeddings[near, column] - value) <= self._tolerance]
        return bool((np.abs(embeddings[near] - row) <= self._tolerance).all(axis=1).any())


@dataclass(frozen=True)
class Clusters:
    """Solutions by their nearest baseline (Euclid; of equally near ones the first).

    Attributes:
        sizes: int[k], solutions nearest to each of k baselines.
        radii: float[k], distance from each baseline to the farthest solution of its cluster; 0 if it has none.
        distances: float[m], distance of each solution to its nearest baseline.
    """

    sizes: np.ndarray
    radii: np.ndarray
    distances: np.ndarray

    @classmethod
    def around(cls, embeddings: np.ndarray, centres: np.ndarray) -> Clusters:
        """The clusters of solutions float[m, n] around baselines float[k, n], k at least 1."""
        nearest = np.zeros(len(embeddings), dtype=int)
        squares = np.full(len(embeddings), np.inf)
        for i, centre in enumerate(centres):
            away = ((embeddings - centre) ** 2).sum(axis=1)
            closer = away < squares
            nearest[closer], squares[closer] = i, away[closer]
        radii = np.zeros(len(centres))
        np.maximum.at(radii, nearest, np.sqrt(squares))
        return cls(np.bincount(nearest, minlength=len(centres)), radii, np.sqrt(squares))

    @property
    def shares(self) -> np.ndarray:
        """float[k], shares of the solutions: the paper's cluster sizes. Zeros if there are no solutions."""
        return self.sizes / max(1, int(self.sizes.sum()))

    @property
    def entropy(self) -> float:
        """Entropy of the sizes, see :func:`entropy`."""
        return entropy(self.sizes)

    @property
    def deviation(self) -> float:
        """The paper's "standard deviation": that of the k shares (with divisor k), in [0, 0.5]; 0 if all are equal."""
        return float(self.shares.std())

    @property
    def densities(self) -> list[float | None]:
        """The paper's density of each cluster: its number of solutions over its maximum Euclidean distance.

        That distance is taken from the baseline, so it is :attr:`radii`, in the metric's unit (the paper's hit
        ratios are in percent: a hundredth of the density of the same solutions here). An empty cluster has density
        0; one whose solutions all do exactly what the baseline does has none (None).
        """
        pairs = zip(self.sizes, self.radii, strict=True)
        return [0.0 if not size else float(size / radius) if radius else None for size, radius in pairs]


def entropy(sizes: np.ndarray) -> float:
    """Shannon entropy of cluster sizes int[k] in nats: 0 if one has all (or nobody has any), ln k if all are equal."""
    filled = sizes[sizes > 0]
    shares = filled / filled.sum() if len(filled) else filled
    return float(-(shares * np.log(shares)).sum()) + 0.0  # no -0.0


def spacing(embeddings: np.ndarray) -> tuple[float, np.ndarray]:
    """How far solutions are from each other; of the order of m²n operations, in little memory.

    Args:
        embeddings: float[m, n], m at least 2.

    Returns:
        The mean Euclidean distance over all pairs, and float[m], the distance of each to its nearest other one.
    """
    m = len(embeddings)
    total, squares, partners = 0.0, np.full(m, np.inf), np.zeros(m, dtype=int)
    for rows, columns, tile in _tiles(embeddings):
        apart = np.sqrt(tile).sum()
        if rows == columns:
            total += float(apart) / 2
            np.fill_diagonal(tile, np.inf)
        else:
            total += float(apart)
            _closer(squares, partners, columns, rows, tile.T)
        _closer(squares, partners, rows, columns, tile)
    # The tiles are good to eight digits of the largest distance; those that are reported are computed anew.
    nearest = np.sqrt(((embeddings - embeddings[partners]) ** 2).sum(axis=1))
    return total / (m * (m - 1) / 2), nearest


def _tiles(embeddings: np.ndarray) -> Iterator[tuple[slice, slice, np.ndarray]]:
    """The squared distances of all pairs in tiles on and right of the diagonal."""
    centred = embeddings - embeddings.mean(axis=0)
    squares, ones = (centred**2).sum(axis=1), np.ones(len(centred))
    # |a - b|² = |a|² + |b|² - 2 a·b as one product: (-2a, |a|², 1) · (b, 1, |b|²).
    left = np.column_stack([-2 * centred, squares, ones])
    right = np.column_stack([centred, ones, squares])
    parts = [slice(i, min(i + _TILE, len(centred))) for i in range(0, len(centred), _TILE)]
    for i, rows in enumerate(parts):
        for columns in parts[i:]:
            tile = left[rows] @ right[columns].T
            if rows == columns:
                np.fill_diagonal(tile, 0)
            yield rows, columns, np.maximum(tile, 0, out=tile)


def _closer(squares: np.ndarray, partners: np.ndarray, rows: slice, columns: slice, tile: np.ndarray) -> None:
    """Keep for each of ``rows`` the nearest of ``columns`` if it is nearer than what is known."""
    at = tile.argmin(axis=1)
    found = np.take_along_axis(tile, at[:, None], axis=1)[:, 0]
    closer = found < squares[rows]
    squares[rows][closer] = found[closer]
    partners[rows][closer] = at[closer] + columns.start


class Coverage:
    """How much of what is known to be possible the solutions cover, workload by workload.

    The span of a workload, from the lowest to the highest value of any baseline or bound on it, is divided into
    :data:`CELLS` equal cells; the coverage is the share of cells, over all workloads with a span, in which at least one
    solution lies. It is fixed before the search begins what counts: nothing is gained by being worse than the worst
    baseline. A further solution never lowers it; a repeated one does not raise it; one alone has 1 / :data:`CELLS`
    at most. It looks at workloads one by one, so it does not tell how they go together.

    Args:
        known: float[k, n], embeddings of the baselines and bounds.
    """

    def __init__(self, known: np.ndarray) -> None:
        low, high = known.min(axis=0), known.max(axis=0)
        self._spanned = high > low
        self._low, self._high = low[self._spanned], high[self._spanned]
        self._occupied = np.zeros((len(self._low), CELLS), dtype=bool)

    def add(self, embeddings: np.ndarray) -> None:
        """Take in solutions float[m, n] or one float[n]."""
        rows = np.atleast_2d(embeddings)[:, self._spanned]
        inside = (rows >= self._low) & (rows <= self._high)
        cells = np.floor((rows - self._low) / (self._high - self._low) * CELLS)
        which = np.clip(cells, 0, CELLS - 1).astype(int)  # the upper edge belongs to the last cell
        workloads = np.broadcast_to(np.arange(len(self._low)), which.shape)
        self._occupied[workloads[inside], which[inside]] = True

    @property
    def share(self) -> float | None:
        """The coverage in [0, 1]; None if no workload has a span."""
        return float(self._occupied.mean()) if self._occupied.size else None


def gap_closed(
    values: np.ndarray, reference: np.ndarray, bound: np.ndarray, maximise: bool
) -> np.ndarray | None:
    """Usefulness: how much of the way from the reference (0) to the bound (100) is covered, in percent.

    Workload by workload, then the mean, as for all gains. Workloads on which the bound is less than
    :data:`LEAST_GAP` of the reference better than it are left out: there is nothing to close.

    Args:
        values: The metric, float[m, n].
        reference: That of the reference, float[n].
        bound: That of the bound, float[n].
        maximise: Whether more is better.

    Returns:
        float[m], negative for what is worse than the reference; None if no workload has a gap.
    """
    gap = bound - reference
    open_ = (gap if maximise else -gap) > LEAST_GAP * np.abs(reference)
    if not open_.any():
        return None
    closed: np.ndarray = ((values - reference)[:, open_] / gap[open_]).mean(axis=1)
    return 100 * closed + 0.0  # no -0.0
