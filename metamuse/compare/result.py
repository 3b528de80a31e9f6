"""The table of a comparison: each arm's figures, and how they differ from those of the first arm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from metamuse.compare.bootstrap import Draws, FloatArray
from metamuse.compare.figures import Figures

#: Values of one run, float[1], or under every draw of workloads, float[draws]; None if it has none.
_Values = FloatArray | None


@dataclass(frozen=True)
class Measure:
    """A column of the table.

    Attributes:
        key: In files.
        head: In tables.
        meaning: What it is.
        digits: After the point.
        compared: Whether a difference from the first arm is worth an interval.
        value: Of one run and of the first arm's run with the same seed, under the weights of workloads given.
        workloads: Whether workloads are resampled too.
    """

    key: str
    head: str
    meaning: str
    digits: int
    compared: bool
    value: Callable[[Figures, Figures, FloatArray, FloatArray], _Values]
    workloads: bool


def _plain(read: Callable[[Figures], float | None]) -> Callable[..., _Values]:
    def value(run: Figures, first: Figures, validation: FloatArray, holdout: FloatArray) -> _Values:
        found = read(run)
        return None if found is None else np.array([found], dtype=np.float64)

    return value


def _quantile(run: Figures, weights: FloatArray, q: float) -> _Values:
    """Quantile over solutions of the mean gain over workloads, under each row of weights."""
    return np.quantile(run.gains @ weights.T, q, axis=0) if run.executable else None


def _better(run: Figures, first: Figures, validation: FloatArray, holdout: FloatArray) -> _Values:
    bar = _quantile(first, validation, 0.9)
    if bar is None or not run.attempted:
        return None
    above: FloatArray = 100.0 * (run.gains @ validation.T > bar).sum(axis=0) / run.attempted
    return above


def _weighted(gains: np.ndarray | None, weights: FloatArray) -> _Values:
    return None if gains is None else gains @ weights.T


def _share(part: int, whole: int) -> float | None:
    return 100.0 * part / whole if whole else None


MEASURES = (
    Measure("executable", "executable %", "share of all attempts that could be scored", 1, True,
            _plain(lambda r: _share(r.executable, r.attempted)), False),
    Measure("distinct", "distinct", "solutions that were new in performance space at 1e-3", 1, True,
            _plain(lambda r: float(r.distinct)), False),
    Measure("distinct_share", "distinct %", "share of the executable that were", 1, True,
            _plain(lambda r: _share(r.distinct, r.executable)), False),
    Measure("entropy", "entropy", "of the clusters by nearest baseline, nats", 3, True,
            _plain(lambda r: r.entropy if r.executable else None), False),
    Measure("coverage", "coverage %", "of the span between baselines and bounds, in performance space", 1, True,
            _plain(lambda r: None if r.coverage is None else 100 * r.coverage), False),
    Measure("p75", "p75", "third quartile over the executable of their validation gain, %", 2, True,
            lambda r, _, v, h: _quantile(r, v, 0.75), True),
    Measure("p90", "p90", "90th percentile over the executable of their validation gain, %", 2, True,
            lambda r, _, v, h: _quantile(r, v, 0.90), True),
    Measure("better", "above p90", "share of all attempts above the p90 of the first arm with the same seed", 1, True,
            _better, True),
    Measure("best_validation", "best validation", "validation gain of the best by validation, %", 2, True,
            lambda r, _, v, h: _weighted(r.validation, v), True),
    Measure("best_holdout", "best hold-out", "hold-out gain of that solution, %", 2, True,
            lambda r, _, v, h: _weighted(r.holdout, h), True),
    Measure("gap_closed", "gap closed", "of the way from reference to bound, by that solution on validation, %", 1, True,
            _plain(lambda r: r.gap_closed), False),
    Measure("attempted", "solutions", "attempts", 1, False, _plain(lambda r: float(r.attempted)), False),
    Measure("calls", "calls", "answered, or perhaps billed", 1, False, _plain(lambda r: float(r.calls)), False),
    Measure("tokens", "tokens", "in and out", 0, False, _plain(lambda r: float(r.tokens)), False),
    Measure("usd", "US$", "where the price is known", 4, False, _plain(lambda r: r.usd), False),
)  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """An arm against the first one.

    Attributes:
        mean: Mean over the seeds of its figure minus the first arm's with the same seed.
        interval: 95 %, None where one seed leaves nothing to resample.
        seeds: Pairs of runs.
    """

    mean: float
    interval: tuple[float, float] | None
    seeds: int

    @property
    def settled(self) -> bool:
        """Whether the interval excludes zero."""
        return self.interval is not None and (self.interval[0] > 0 or self.interval[1] < 0)


@dataclass(frozen=True)
class Row:
    """One arm.

    Attributes:
        arm: Its name.
        runs: By seed.
        means: By key of a measure: mean over the seeds, None if no run has it.
        differences: By key of a measure, of arms but the first.
    """

    arm: str
    runs: list[Figures]
    means: dict[str, float | None]
    differences: dict[str, Difference]


def rows(runs: Sequence[Figures]) -> list[Row]:
    """The table.

    Args:
        runs: Of each arm one for each seed, in any order; the first one's arm is what the others are compared with.
    """
    by_arm: dict[str, dict[int, Figures]] = {}
    for run in runs:
        by_arm.setdefault(run.arm, {})[run.seed] = run
    first = next(iter(by_arm.values()))
    validation = {run.workloads for run in runs}
    assert len(validation) == 1, "all runs are scored on the same workloads"
    width = next((len(run.holdout) for run in runs if run.holdout is not None), 0)
    draws = Draws.make(len(first), len(runs[0].workloads), width)
    even = Draws(draws.seeds, _even(len(runs[0].workloads)), _even(width))
    return [_row(arm, list(by_seed.values()), first, draws, even) for arm, by_seed in by_arm.items()]


def _even(n: int) -> FloatArray:
    return np.full((1, n), 1 / n) if n else np.zeros((1, 0))


def _row(arm: str, runs: list[Figures], first: dict[int, Figures], draws: Draws, even: Draws) -> Row:
    means: dict[str, float | None] = {}
    differences: dict[str, Difference] = {}
    for measure in MEASURES:
        found = [_value(measure, run, first, even) for run in runs]
        known = [float(value[0]) for value in found if value is not None]
        means[measure.key] = float(np.mean(known)) if known else None
        if measure.compared and arm != next(iter(first.values())).arm:
            difference = _difference(measure, runs, first, draws, even)
            if difference is not None:
                differences[measure.key] = difference
    return Row(arm, runs, means, differences)


def _value(measure: Measure, run: Figures, first: dict[int, Figures], draws: Draws) -> _Values:
    return measure.value(run, first[run.seed], draws.validation, draws.holdout)


def _difference(
    measure: Measure, runs: list[Figures], first: dict[int, Figures], draws: Draws, even: Draws
) -> Difference | None:
    def paired(with_: Draws) -> list[FloatArray]:
        pairs = (
            (_value(measure, r, first, with_), _value(measure, first[r.seed], first, with_)) for r in runs
        )
        return [own - other for own, other in pairs if own is not None and other is not None]

    points = paired(even)
    if not points:
        return None
    mean = float(np.mean([p[0] for p in points]))
    if len(points) < 2 and not measure.workloads:
        return Difference(mean, None, len(points))
    spread = np.stack(paired(draws))
    if len(spread) < len(first):  # a run without a figure has no pair: fewer seeds to draw from
        draws = Draws.make(len(spread), 0, 0)
    return Difference(mean, draws.interval(spread), len(points))


def record(row: Row) -> dict[str, Any]:
    """An arm as JSON."""
    return {
        "arm": row.arm,
        "means": {key: None if mean is None else round(mean, 6) for key, mean in row.means.items()},
        "differences": {
            key: {
                "mean": round(d.mean, 6),
                "ci95": None if d.interval is None else [round(x, 6) for x in d.interval],
                "excludes_zero": d.settled,
                "seeds": d.seeds,
            }
            for key, d in row.differences.items()
        },
        "runs": [run.record() for run in row.runs],
    }
