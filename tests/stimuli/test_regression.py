"""The primal regression is the Gaussian process of the paper, and sums do not depend on how they were
built."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimuli.regression import NOISE_GRID, SIGNAL_GRID, HyperParameters, LinearGP


def sample(rows: int, p: int, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, p))
    return x, 3.0 + x @ rng.normal(size=(p, n)) * 0.2 + rng.normal(size=(rows, n))


def filled(x: np.ndarray, y: np.ndarray, hyper_parameters: HyperParameters | None = None) -> LinearGP:
    model = LinearGP(x.shape[1], y.shape[1], hyper_parameters)
    for features, outputs in zip(x, y, strict=True):
        model.append(features, outputs)
    return model


def dual_prediction(
    x: np.ndarray, y: np.ndarray, queries: np.ndarray, hyper_parameters: HyperParameters
) -> np.ndarray:
    """The textbook formula (Rasmussen and Williams, equation 2.25) on standardised outputs."""
    mean, scale = y.mean(axis=0), y.std(axis=0)
    covariance = hyper_parameters.signal * (x @ x.T + 1) + hyper_parameters.noise * np.eye(len(x))
    across = hyper_parameters.signal * (queries @ x.T + 1)
    means: np.ndarray = across @ np.linalg.solve(covariance, (y - mean) / scale) * scale + mean
    return means


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(2, 40),
    p=st.integers(1, 30),
    n=st.integers(1, 5),
    seed=st.integers(0, 10**6),
    signal=st.sampled_from(list(SIGNAL_GRID)),
    noise=st.sampled_from(list(NOISE_GRID)),
)
def test_equals_the_dual_form(rows: int, p: int, n: int, seed: int, signal: float, noise: float) -> None:
    x, y = sample(rows, p, n, seed)
    chosen = HyperParameters(signal, noise)
    queries = np.random.default_rng(seed + 1).normal(size=(7, p))
    primal = filled(x, y, chosen).predict(queries, rows)
    np.testing.assert_allclose(primal, dual_prediction(x, y, queries, chosen), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("rows", [12, 60])  # fewer and more rows than features
def test_equals_scikit_learn(rows: int) -> None:
    # Imported here: it takes seconds.
    from sklearn import gaussian_process as process
    from sklearn.gaussian_process import kernels

    x, y = sample(rows, 20, 3, seed=rows)
    queries = np.random.default_rng(1).normal(size=(9, 20))
    chosen = HyperParameters(0.3, 0.05)
    kernel = kernels.ConstantKernel(chosen.signal) * kernels.DotProduct(sigma_0=1.0) + kernels.WhiteKernel(
        chosen.noise
    )
    oracle = process.GaussianProcessRegressor(kernel, alpha=0.0, optimizer=None, normalize_y=True).fit(x, y)
    model = filled(x, y, chosen)
    np.testing.assert_allclose(model.predict(queries, rows), oracle.predict(queries), rtol=1e-9, atol=1e-9)

    # The likelihood of the grid search is scikit-learn's as well (it averages nothing: outputs are summed).
    nll = model.negative_log_likelihood(rows, np.array([chosen.signal]), np.array([chosen.noise]))
    assert nll[0, 0] == pytest.approx(-oracle.log_marginal_likelihood_value_, rel=1e-9)


def test_hyper_parameters_have_the_highest_likelihood_of_the_grid() -> None:
    x, y = sample(64, 10, 2, seed=5)
    mean, scale = y.mean(axis=0), y.std(axis=0)
    best = (np.inf, 0.0, 0.0)
    for signal in SIGNAL_GRID:
        for noise in NOISE_GRID:
            covariance = signal * (x @ x.T + 1) + noise * np.eye(64)
            z = (y - mean) / scale
            nll = 0.5 * np.sum(z * np.linalg.solve(covariance, z)) + np.linalg.slogdet(covariance)[1]
            best = min(best, (float(nll), float(signal), float(noise)))
    assert filled(x, y).hyper_parameters(64) == HyperParameters(*best[1:])


def test_hyper_parameters_change_only_when_the_history_doubles() -> None:
    x, y = sample(130, 6, 2, seed=6)
    # Exactly linear up to row 64, noisy from there on: later rows would raise the noise at once.
    y[:64] = 3 + x[:64, :2]
    model = filled(x, y)
    assert model.hyper_parameters(64).noise == NOISE_GRID[0] < model.hyper_parameters(128).noise
    assert model.hyper_parameters(127) == filled(x[:64], y[:64]).hyper_parameters(64)
    assert model.hyper_parameters(128) == filled(x[:128], y[:128]).hyper_parameters(128)


def test_prefixes_give_the_same_bits_in_any_order() -> None:
    x, y = sample(1100, 8, 3, seed=2)
    queries = x[:5]
    prefixes = [3, 255, 256, 257, 600, 1023, 1024, 1100]
    fresh = {rows: filled(x[:rows], y[:rows]).predict(queries, rows) for rows in prefixes}
    model = filled(x, y)
    for rows in [*reversed(prefixes), *prefixes]:
        assert np.array_equal(model.predict(queries, rows), fresh[rows]), rows
    growing = LinearGP(8, 3)
    for rows in range(1, 1101):
        growing.append(x[rows - 1], y[rows - 1])
        if rows in fresh:
            assert np.array_equal(growing.predict(queries, rows), fresh[rows]), rows


def test_incremental_equals_batch() -> None:
    x, y = sample(700, 8, 3, seed=3)
    model = filled(x, y, HyperParameters(1.0, 0.1))
    for rows in (300, 512, 700):
        expected = dual_prediction(x[:rows], y[:rows], x[:4], HyperParameters(1.0, 0.1))
        np.testing.assert_allclose(model.predict(x[:4], rows), expected, rtol=1e-8)


def test_a_constant_output_is_predicted_as_that_constant() -> None:
    x, y = sample(30, 5, 2, seed=4)
    y[:, 1] = 0.1
    predicted = filled(x, y).predict(x[:3], 30)
    np.testing.assert_allclose(predicted[:, 1], 0.1, rtol=1e-9)
    np.testing.assert_allclose(predicted[:, 0], filled(x, y[:, :1]).predict(x[:3], 30)[:, 0], rtol=1e-9)
    assert np.isfinite(filled(x, np.full((30, 2), 7.0)).predict(x[:3], 30)).all()


def test_more_rows_than_there_are_is_refused() -> None:
    x, y = sample(3, 2, 1, seed=0)
    with pytest.raises(ValueError, match="cannot learn from 4 rows of 3"):
        filled(x, y).predict(x, 4)


def test_recalled_features_change_nothing() -> None:
    x, y = sample(2000, 9, 3, seed=4)
    kept = filled(x, y)
    asked: list[tuple[int, int]] = []

    def recall(start: int, end: int) -> np.ndarray:
        asked.append((start, end))
        return x[start:end]

    recalling = LinearGP(9, 3, recall=recall)
    queries = np.random.default_rng(5).normal(size=(4, 9))
    for rows in range(len(x)):
        recalling.append(x[rows], y[rows])
        if rows % 100 == 99:
            np.testing.assert_array_equal(
                recalling.predict(queries, rows + 1), kept.predict(queries, rows + 1)
            )
    assert not asked  # who goes on row by row needs no old ones
    for rows in (1, 255, 256, 300, 900, 1999, 2000):
        np.testing.assert_array_equal(recalling.predict(queries, rows), kept.predict(queries, rows))
    assert asked
