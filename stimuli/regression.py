"""Gaussian process regression with a linear kernel, in primal form, over a growing set of solutions.

MetaMuse (section 3.2.2) predicts each dimension of the feedback embedding of a stimulus set by a Gaussian
process with the kernel K(a, b) = x_a . x_b, where x is the sum of the embeddings of the set's observations.
Such a process is Bayesian linear regression: with features X (rows x_i and a constant 1), kernel c X X' + s I
and outputs Y, the predictive mean c x' X' (c X X' + s I)^-1 Y equals x' (X'X + (s/c) I)^-1 X'Y. The left side
costs O(N^3) for N solutions, the right side O(p^3) for p features whatever N is, if the moments X'X and X'Y
are carried along. All n outputs share kernel and hyper-parameters, hence one matrix. One solve with p = 257
takes a few milliseconds, so that rank-one updates of a factor, whose rounding would depend on the order of
calls, gain nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stimuli.base import FloatArray

SIGNAL_GRID = np.geomspace(1e-4, 1e2, 13)
NOISE_GRID = np.geomspace(1e-3, 1.0, 10)
"""Variances tried, relative to the variance of the outputs (which are standardised)."""

_BLOCK = 256
_CHECKPOINTS = 2
_KEPT = 4
"""Blocks whose features stay in memory, if they can be recalled: more than the overlap of proposals asks for."""
_CONSTANT = 1e-9
"""An output whose standard deviation is below this fraction of its largest value counts as constant."""


@dataclass(frozen=True, slots=True)
class HyperParameters:
    """Kernel ``signal * (x . x' + 1) + noise * [same row]`` on standardised outputs."""

    signal: float
    noise: float


@dataclass(frozen=True, slots=True)
class _Moments:
    rows: int
    gram: FloatArray
    """X'X, shape [p, p]."""
    cross: FloatArray
    """X'Y, shape [p, n]."""

    def plus(self, x: FloatArray, y: FloatArray) -> _Moments:
        return _Moments(self.rows + len(x), self.gram + x.T @ x, self.cross + x.T @ y)


class LinearGP:
    """n regressions on shared features; rows are appended, any prefix of them can be predicted from.

    A prediction depends on the prefix alone, bit by bit, and not on what was appended or asked before: sums
    run over fixed blocks of rows, and the hyper-parameters of N rows are those of the first 2^floor(log2 N),
    chosen on a grid by marginal likelihood (so at most once per doubling).

    Args:
        n_features: length of a feature vector, without the constant that is added here.
        n_outputs: n.
        hyper_parameters: fixed values instead of those of highest marginal likelihood.
        recall: tells the features of rows from one to before another again, shape [rows, n_features]; if given,
            only those of the last rows are kept.
    """

    def __init__(
        self,
        n_features: int,
        n_outputs: int,
        hyper_parameters: HyperParameters | None = None,
        recall: Callable[[int, int], FloatArray] | None = None,
    ) -> None:
        # Blocks of rows, so that growing copies nothing; outputs are few and wanted in one piece.
        self._x: dict[int, FloatArray] = {}
        self._recall = recall
        self._n_features = n_features
        self._y = np.empty((_BLOCK, n_outputs))
        self._rows = 0
        start = _Moments(0, np.zeros((n_features + 1, n_features + 1)), np.zeros((n_features + 1, n_outputs)))
        self._start = start
        self._checkpoints = [start]
        self._fixed = hyper_parameters
        self._chosen: dict[int, HyperParameters] = {}

    @property
    def rows(self) -> int:
        """Number of rows appended so far."""
        return self._rows

    def outputs(self, rows: int) -> FloatArray:
        """The outputs of the first ``rows`` rows, shape [rows, n]; a read-only view."""
        view = self._y[: self._checked(rows)]
        view.flags.writeable = False
        return view

    def append(self, features: npt.ArrayLike, outputs: npt.ArrayLike) -> None:
        """Adds one row: ``features`` of shape [n_features], ``outputs`` of shape [n]."""
        if self._rows == len(self._y):
            # Not concatenated: what nobody has touched yet takes no memory.
            larger = np.empty((2 * self._rows, self._y.shape[1]))
            larger[: self._rows] = self._y
            self._y = larger
        block, place = divmod(self._rows, _BLOCK)
        if place == 0:
            self._x[block] = np.ones((_BLOCK, self._n_features + 1))
            if self._recall is not None:
                self._x.pop(block - _KEPT, None)
        self._x[block][place, :-1] = features
        self._y[self._rows] = outputs
        self._rows += 1

    def predict(self, features: npt.ArrayLike, rows: int) -> FloatArray:
        """Predictive means given the first ``rows`` rows (at least 1).

        Args:
            features: shape [k, n_features].
            rows: how many rows to learn from.

        Returns:
            Shape [k, n], in the unit of the outputs. A constant output is predicted as that constant.
        """
        chosen = self.hyper_parameters(rows)
        moments = self._moments(rows)
        mean, scale, _ = self._standardisation(rows)
        ridge = chosen.noise / chosen.signal
        precision = moments.gram + ridge * np.eye(len(moments.gram))
        weights = np.linalg.solve(precision, self._standardised(moments, mean, scale))
        means: FloatArray = (np.asarray(features, np.float64) @ weights[:-1] + weights[-1]) * scale + mean
        return means

    def hyper_parameters(self, rows: int) -> HyperParameters:
        """The hyper-parameters used for predictions from the first ``rows`` rows."""
        if self._fixed is not None:
            return self._fixed
        prefix = 1 << (self._checked(rows).bit_length() - 1)
        if prefix not in self._chosen:
            nll = self.negative_log_likelihood(prefix, SIGNAL_GRID, NOISE_GRID)
            signal, noise = np.unravel_index(int(np.argmin(nll)), nll.shape)
            self._chosen[prefix] = HyperParameters(float(SIGNAL_GRID[signal]), float(NOISE_GRID[noise]))
        return self._chosen[prefix]

    def negative_log_likelihood(self, rows: int, signals: FloatArray, noises: FloatArray) -> FloatArray:
        """Negative log marginal likelihood of the standardised outputs, summed over those that vary.

        One eigendecomposition X'X = V diag(l) V' serves the whole grid: with q = V'X'y, the quadratic form is
        (y'y - sum c q^2 / (c l + s)) / s and the log determinant sum log(c l + s) + (N - p) log s.

        Returns:
            Shape [len(signals), len(noises)].
        """
        moments = self._moments(rows)
        mean, scale, varying = self._standardisation(rows)
        eigenvalues, vectors = np.linalg.eigh(moments.gram)
        eigenvalues = np.maximum(eigenvalues, 0.0)
        projected = vectors.T @ self._standardised(moments, mean, scale)[:, varying]
        energy = np.square(projected).sum(axis=1)
        n_outputs = int(varying.sum())
        total = float(rows * n_outputs)
        c, s = signals[:, np.newaxis, np.newaxis], noises[np.newaxis, :, np.newaxis]
        spectrum = c * eigenvalues + s
        quadratic = (total - (c * energy / spectrum).sum(axis=-1)) / noises
        log_det = np.log(spectrum).sum(axis=-1) + (rows - len(eigenvalues)) * np.log(noises)
        nll: FloatArray = 0.5 * (quadratic + n_outputs * (log_det + rows * np.log(2 * np.pi)))
        return nll

    def _checked(self, rows: int) -> int:
        if not 1 <= rows <= self._rows:
            raise ValueError(f"cannot learn from {rows} rows of {self._rows}")
        return rows

    def _standardisation(self, rows: int) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
        """Mean and scale of each output, and whether it varies at all (its scale is 1 if not)."""
        outputs = self._y[: self._checked(rows)]
        mean, scale = outputs.mean(axis=0), outputs.std(axis=0)
        varying = scale > _CONSTANT * np.abs(outputs).max(axis=0)
        return mean, np.where(varying, scale, 1.0), varying

    @staticmethod
    def _standardised(moments: _Moments, mean: FloatArray, scale: FloatArray) -> FloatArray:
        """X'Z for the standardised outputs Z; the last column of X is 1, so X'1 is the last column of X'X."""
        centred: FloatArray = (moments.cross - np.outer(moments.gram[:, -1], mean)) / scale
        return centred

    def _moments(self, rows: int) -> _Moments:
        """Moments of the first ``rows`` rows: whole blocks in order, then the rest."""
        moments = next((point for point in reversed(self._checkpoints) if point.rows <= rows), self._start)
        while moments.rows + _BLOCK <= rows:
            moments = moments.plus(*self._block(moments.rows, _BLOCK))
            if moments.rows > self._checkpoints[-1].rows:
                self._checkpoints = [*self._checkpoints, moments][-_CHECKPOINTS:]
        return moments.plus(*self._block(moments.rows, rows - moments.rows))

    def _block(self, start: int, count: int) -> tuple[FloatArray, FloatArray]:
        """The first ``count`` rows of the block that begins at ``start``; there may be no such block yet."""
        block = self._x.get(start // _BLOCK)
        if block is None:
            block = np.ones((count, self._n_features + 1))
            if count and self._recall is not None:
                block[:, :-1] = self._recall(start, start + count)
        return block[:count], self._y[start : start + count]
